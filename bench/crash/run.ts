import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Random } from '../../src/base/random.js';
import type { Message } from './child.js';
import { digestOf, type Entry, type Ledger, operationAt, record } from './operations.js';

export interface CrashOptions {
  folder: string;
  seed: number;
  rounds: number;
  /** The compiled child.ts. */
  child: string;
  /** A round's longest time from the first write to the kill. Default 250. */
  lifeMsMax?: number;
  onRound?: (round: number, acknowledged: number) => void;
}

export interface CrashReport {
  rounds: number;
  acknowledged: number;
  /** Operations that were under way at a kill, and of those the ones that turned out done. */
  underWay: number;
  completed: number;
}

interface Reading {
  points: [number, Entry][];
  /** By each of the vectors, and by a word. */
  found: number[][];
}

/**
 * Kills a process that writes, again and again, and compares what the next ones read with a ledger of
 * what was acknowledged. Of the operations that were under way some may be done: the first of them in
 * order, each as a whole. Every round reads three times: after the crash, after optimize() in the same
 * process, and in a fresh one.
 * @throws Error naming seed and round for anything lost, halved or returned though deleted.
 */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const { seed, rounds, onRound } = options;
  const random = new Random(seed);
  const report: CrashReport = { rounds: 0, acknowledged: 0, underWay: 0, completed: 0 };
  let ledger: Ledger = new Map();
  let next = 0;
  for (let round = 0; round < rounds; round++) {
    const where = `seed ${seed}, round ${round}`;
    const writing = await writeUntilKilled(options, random, next);
    requireEqual(ledger, writing.before, `${where}, in a fresh process`);
    const last = Math.max(next - 1, ...writing.acknowledged);
    const done = writing.begun.filter((number) => number <= last);
    const open = writing.begun.filter((number) => number > last);
    requireOrder(done, new Set(writing.acknowledged), seed, where);
    for (const number of done) record(ledger, operationAt(seed, number));
    const [after, optimized] = await check(options);
    const completed = prefixThat(ledger, open, seed, after!);
    if (completed === undefined) throw new Error(`${where}: ${explain(ledger, after!)}`);
    ledger = completed.ledger;
    requireEqual(ledger, optimized!, `${where}, after optimize()`);
    next += done.length + completed.count;
    // Numbers that were begun and came to nothing are used again: they are the same operations.
    report.rounds++;
    report.acknowledged += done.length;
    report.underWay += open.length;
    report.completed += completed.count;
    onRound?.(round, done.length);
  }
  return report;
}

/** Writes take effect in the order of their calls; optimize() writes nothing and takes its time. */
function requireOrder(
  done: readonly number[],
  acknowledged: ReadonlySet<number>,
  seed: number,
  where: string,
): void {
  for (const number of done) {
    if (acknowledged.has(number) || operationAt(seed, number).kind === 'optimize') continue;
    throw new Error(`${where}: later operations were acknowledged before ${number}`);
  }
}

async function writeUntilKilled(options: CrashOptions, random: Random, first: number) {
  const { child, folder, seed, lifeMsMax = 250 } = options;
  const args = [child, 'write', folder, String(seed), String(first)];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(writer, 'close');
  const begun: number[] = [];
  const acknowledged: number[] = [];
  let before: Reading | undefined;
  for await (const message of messagesOf(writer)) {
    if (message.did === 'begin') begun.push(message.number);
    else if (message.did === 'acknowledge') acknowledged.push(message.number);
    else {
      before = message;
      setTimeout(() => writer.kill('SIGKILL'), random.below(lifeMsMax));
    }
  }
  const [, signal] = (await ended) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`seed ${seed}: the writer ended by itself`);
  return { begun, acknowledged, before: before! };
}

async function check({ child, folder, seed }: CrashOptions): Promise<Reading[]> {
  const args = [child, 'check', folder];
  const checker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(checker, 'close');
  const readings: Reading[] = [];
  for await (const message of messagesOf(checker))
    if (message.did === 'read') readings.push(message);
  const [code] = (await ended) as [number | null];
  if (code !== 0 || readings.length !== 2) throw new Error(`seed ${seed}: the check failed`);
  return readings;
}

async function* messagesOf(child: ChildProcess): AsyncGenerator<Message> {
  for await (const line of createInterface({ input: child.stdout! })) {
    // The kill may cut the last line short.
    try {
      yield JSON.parse(line) as Message;
    } catch {
      return;
    }
  }
}

/** The ledger after as many of the open operations, in order, as explain what was read. */
function prefixThat(ledger: Ledger, open: readonly number[], seed: number, reading: Reading) {
  const candidate: Ledger = new Map(
    Array.from(ledger, ([id, { payload, vector }]) => [id, { payload, vector }]),
  );
  for (let count = 0; count <= open.length; count++) {
    if (count > 0) record(candidate, operationAt(seed, open[count - 1]!));
    if (isEqual(candidate, reading)) return { ledger: candidate, count };
  }
  return undefined;
}

function isEqual(ledger: Ledger, { points, found }: Reading): boolean {
  if (digestOf(ledger) !== digestOf(new Map(points))) return false;
  return found.every((ids) => ids.length === ledger.size && ids.every((id) => ledger.has(id)));
}

function requireEqual(ledger: Ledger, reading: Reading, where: string): void {
  if (!isEqual(ledger, reading)) throw new Error(`${where}: ${explain(ledger, reading)}`);
}

function explain(ledger: Ledger, { points, found }: Reading): string {
  const read = new Map(points);
  const differs = (id: number) =>
    digestOf(new Map([[id, ledger.get(id)!]])) !== digestOf(new Map([[id, read.get(id)!]]));
  const lost = [...ledger.keys()].filter((id) => !read.has(id));
  const risen = [...read.keys()].filter((id) => !ledger.has(id));
  const other = [...ledger.keys()].filter((id) => read.has(id) && differs(id));
  const unfound = [...read.keys()].filter((id) => found.some((ids) => !ids.includes(id)));
  const ghosts = found.flat().filter((id) => !read.has(id));
  return `lost ${lost}; risen ${risen}; other ${other}; not found ${unfound}; found though gone ${ghosts}`;
}
