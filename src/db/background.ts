import { availableParallelism } from 'node:os';

/** Threads for work in the background: one core is left to the rest of the process, and to SQLite. */
export const BACKGROUND_THREADS = Math.max(1, availableParallelism() - 1);
