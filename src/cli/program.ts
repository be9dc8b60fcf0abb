import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { packageFolder } from '../../datasets/package-folder.js';
import { addAdviseCommand } from './advise.js';
import { addBenchCommand } from './bench.js';
import { addDatasetsCommand } from './datasets.js';
import { addImportHnswlibCommand } from './import-hnswlib.js';
import { addIngestCommand } from './ingest.js';
import { addInspectCommand } from './inspect.js';
import { addKvCommand } from './kv.js';
import { addOptimizeCommand } from './optimize.js';
import { addQueryCommand } from './query.js';
import { addQuickstartCommand } from './quickstart.js';
import { addServeCommand } from './serve.js';
import { addSnapshotCommand } from './snapshot.js';

const EPILOGUE = `
leandex help <command> tells more, with examples.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C (143 by SIGTERM).
Results go to stdout, progress and messages to stderr.
`;

const { version, description } = JSON.parse(
  readFileSync(`${packageFolder()}/package.json`, 'utf8'),
) as { version: string; description: string };

/** The commands with their flags, ready to parse. */
export function createProgram(): Command {
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
  addAdviseCommand(program);
  addBenchCommand(program);
  addDatasetsCommand(program);
  return program;
}
