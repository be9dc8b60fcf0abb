#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { packageFolder } from '../../datasets/package-folder.js';
import { addBenchCommand } from './bench.js';
import { addDatasetsCommand } from './datasets.js';
import { addInspectCommand } from './inspect.js';
import { addQuickstartCommand } from './quickstart.js';
import { addServeCommand } from './serve.js';
import { addSnapshotCommand } from './snapshot.js';

const { version, description } = JSON.parse(
  readFileSync(`${packageFolder()}/package.json`, 'utf8'),
) as { version: string; description: string };

const program = new Command('leandex').description(description).version(version);
addQuickstartCommand(program);
addServeCommand(program);
addInspectCommand(program);
addSnapshotCommand(program);
addBenchCommand(program);
addDatasetsCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  // A coded error is meant for the user; anything else is a bug and keeps its stack.
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') throw error;
  process.stderr.write(`leandex: ${String(message)} (${code})\n`);
  process.exitCode = 1;
}
