#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT_OF_SIGNAL } from './cancel.js';
import { createProgram } from './program.js';

const EXIT_FAILED = 1;
const EXIT_WRONG_USAGE = 2;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads the output may stop before its end, as head does.
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`leandex: the output cannot be written: ${error.message} (IO_ERROR)\n`);
  process.exit(EXIT_FAILED);
});
// A message that nobody can read changes nothing: a server goes on when the disk of its log is full.
process.stderr.on('error', () => {});

try {
  await createProgram().parseAsync();
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
