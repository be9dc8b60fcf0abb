import type { Lateness } from '../event-loop.js';
import { RECALL_LEVELS, type RecallLevel } from '../frontier.js';
import { table } from '../markdown.js';
import type { Stamp } from '../stamped.js';

/** How late the event loop was while something asynchronous ran. */
export interface LateRow extends Lateness {
  readonly what: string;
}

/** Median seconds of a build. */
export interface BuildRow {
  readonly threads: number;
  readonly seconds: number;
}

/** Microseconds of a query at a recall, for each of the sizes; null where it is not reached. */
export interface GrowthRow {
  readonly recall: RecallLevel;
  readonly micros: readonly (number | null)[];
}

/** Recall@10 of the default's codes and of float32 in graphs of the same seeds. */
export interface LossRow {
  readonly ef: number;
  readonly codes: number;
  readonly floats: number;
}

/** What `npm run bench:goals` measures. */
export interface Goals {
  readonly set: string;
  readonly count: number;
  readonly dimensions: number;
  /** Queries of the loss, and of the growth. */
  readonly queries: readonly [loss: number, growth: number];
  /** Builds of each number of threads, and seeds of the loss. */
  readonly rounds: number;
  readonly eventLoop: readonly LateRow[];
  readonly build: readonly BuildRow[];
  readonly growth: { readonly sizes: readonly number[]; readonly rows: readonly GrowthRow[] };
  readonly loss: readonly LossRow[];
}

export type GoalsResult = Stamp & Goals;

/** Points of recall that codes lose. */
export const pointsLost = ({ codes, floats }: LossRow): number => 100 * (floats - codes);

/** How much longer a query takes among all vectors than among the fewest; null if not reached. */
export function growthOf({ micros }: GrowthRow): number | null {
  const [few, all] = [micros[0], micros.at(-1)];
  return few == null || all == null ? null : all / few;
}

/** How many times as fast a build is as on one thread. */
export function speedUp(rows: readonly BuildRow[], { seconds }: BuildRow): number {
  return rows.find(({ threads }) => threads === 1)!.seconds / seconds;
}

/** The parts of a result as tables. */
export const GOAL_PARTS: Readonly<Record<string, (goals: Goals) => string>> = {
  'event-loop': ({ eventLoop }) =>
    table(
      ['what', 'seconds', 'late by p50 ms', 'p99 ms', 'max ms'],
      eventLoop.map(({ what, seconds, p50, p99, max }) => [
        what,
        seconds.toFixed(2),
        ...[p50, p99, max].map((ms) => ms.toFixed(1)),
      ]),
    ),
  build: ({ build }) =>
    table(
      ['threads', 'seconds', 'times as fast', 'of the threads'],
      build.map((row) => [
        String(row.threads),
        row.seconds.toFixed(2),
        speedUp(build, row).toFixed(2),
        (speedUp(build, row) / row.threads).toFixed(2),
      ]),
    ),
  growth: ({ growth: { sizes, rows } }) =>
    table(
      ['recall@10', ...sizes.map((size) => `${size.toLocaleString('en')} vectors, µs`), 'times'],
      RECALL_LEVELS.flatMap((level) => rows.filter(({ recall }) => recall === level)).map((row) => [
        row.recall,
        ...row.micros.map((us) => us?.toFixed(1) ?? '-'),
        growthOf(row)?.toFixed(2) ?? '-',
      ]),
    ),
  loss: ({ loss }) =>
    table(
      ['ef', 'recall@10', 'on float32', 'points lost'],
      loss.map((row) => [
        String(row.ef),
        row.codes.toFixed(4),
        row.floats.toFixed(4),
        pointsLost(row).toFixed(2),
      ]),
    ),
};
