import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { requireFreshBuild } from '../bench/compiled.js';

export const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

let parent: string;
let children: ChildProcess[] = [];

/** Gives each test of a file a folder of its own, and ends its commands. */
export function useFolder(): void {
  beforeAll(requireFreshBuild);
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'leandex-cli-'));
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    rmSync(parent, { recursive: true, force: true });
  });
}

/** A path in the folder of the test. */
export function inFolder(...names: string[]): string {
  return join(parent, ...names);
}

/** A command under way: what it prints, and how it ends. */
export function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  children.push(child);
  const printed = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    printed.out += data;
  });
  child.stderr.on('data', (data) => {
    printed.err += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...printed }));
  return { child, printed, ended };
}

export function run(...args: string[]) {
  return start(args).ended;
}

/** A command that is given a text on stdin. */
export function runWith(input: string, ...args: string[]) {
  const { child, ended } = start(args);
  child.stdin.end(input);
  return ended;
}
