#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { packageFolder } from '../../datasets/package-folder.js';
import { addBenchCommand } from './bench.js';
import { EXIT_OF_SIGNAL } from './cancel.js';
import { addImportHnswlibCommand } from './import-hnswlib.js';
import { addIngestCommand } from './ingest.js';
import { addInspectCommand } from './inspect.js';
import { addKvCommand } from './kv.js';
import { addOptimizeCommand } from './optimize.js';
import { addQueryCommand } from './query.js';
import { addQuickstartCommand } from './quickstart.js';
import { addServeCommand } from './serve.js';
import { addSnapshotCommand } from './snapshot.js';

const EXIT_FAILED = 1;
const EXIT_WRONG_USAGE = 2;

const EPILOGUE = `
leandex help <command> tells more, with examples.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C (143 by SIGTERM).
Results go to stdout, progress and messages to stderr.
`;

const { version, description } = JSON.parse(
  readFileSync(`${packageFolder()}/package.json`, 'utf8'),
) as { version: string; description: string };

const program = new Command('leandex')
  .description(description)
  .version(version)
  // Commands inherit both, so they come first.
  .exitOverride()
  .showHelpAfterError('(--help tells more)')
  .addHelpText('after', EPILOGUE);
addQuickstartCommand(program);
addIngestCommand(program);
addQueryCommand(program);
addInspectCommand(program);
addOptimizeCommand(program);
addSnapshotCommand(program);
addImportHnswlibCommand(program);
addServeCommand(program);
addKvCommand(program);
addBenchCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Tells the user of a failure, unless the parser has, and what to exit with. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_USAGE;
  // A coded error is meant for the user; anything else is a bug and keeps its stack.
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (typeof code !== 'string') throw error;
  if (code === 'ABORTED' && (cause === 'SIGINT' || cause === 'SIGTERM')) {
    process.stderr.write('leandex: cancelled\n');
    return EXIT_OF_SIGNAL[cause];
  }
  process.stderr.write(`leandex: ${String(message)} (${code})\n`);
  return code === 'INVALID_ARGUMENT' ? EXIT_WRONG_USAGE : EXIT_FAILED;
}
