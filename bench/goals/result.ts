import type { Lateness } from '../event-loop.js';
import type { Machine } from '../machine.js';

/** What `npm run bench:goals` writes: the goals that need no opponent. */
export interface GoalsResult {
  readonly set: string;
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  /** Repeats of what is timed, and seeds of the graphs of `loss`. */
  readonly rounds: number;
  readonly loss: readonly LossRow[];
  readonly growth: readonly GrowthRow[];
  readonly builds: readonly BuildRow[];
  readonly eventLoop: readonly LatenessRow[];
}

/** Recall@10 at a beam width, of the default and of float32 in graphs of the same seeds; means. */
export interface LossRow {
  readonly ef: number;
  readonly codes: number;
  readonly floats: number;
}

/** Microseconds of a query at a recall among so many vectors; null where it is not reached. */
export interface GrowthRow {
  readonly recall: number;
  readonly micros: readonly { readonly count: number; readonly micros: number | null }[];
}

/** The median of builds with so many threads. */
export interface BuildRow {
  readonly threads: number;
  readonly seconds: number;
}

/** How late the event loop was while something asynchronous ran. */
export interface LatenessRow extends Lateness {
  readonly what: string;
}
