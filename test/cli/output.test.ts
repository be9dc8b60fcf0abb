import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MAIN, useFolder } from './support.js';

useFolder();

/** The exit code of a command, and its messages, behind a redirection of the shell. */
function inShell(redirected: string) {
  const env = { ...process.env, MAIN, NODE: process.execPath };
  return spawnSync('bash', ['-c', redirected], { env, encoding: 'utf8' });
}

test('output that nobody reads to its end is no failure', () => {
  const { status, stderr } = inShell('set -o pipefail; "$NODE" "$MAIN" --help | true');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

// A device that is always full.
test.skipIf(!existsSync('/dev/full'))('output that finds no room fails with a message', () => {
  for (const args of ['--help', 'datasets list', 'datasets list --json']) {
    const { status, stderr } = inShell(`"$NODE" "$MAIN" ${args} > /dev/full`);
    expect(stderr).toMatch(/^leandex: the output cannot be written: ENOSPC.* \(IO_ERROR\)\n$/);
    expect(status).toBe(1);
  }
});

test.skipIf(!existsSync('/dev/full'))('messages that find no room change no exit code', () => {
  expect(inShell('"$NODE" "$MAIN" fly 2> /dev/full').status).toBe(2);
  expect(inShell('"$NODE" "$MAIN" inspect /nonsense 2> /dev/full').status).toBe(1);
});
