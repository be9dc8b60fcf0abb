import type { KernelName } from '../kernels/exports.js';
import type { Kernels } from '../kernels/index.js';
import type { ThreadPool } from './pool.js';

/** One kernel call on its own working memory. */
export interface Job {
  kernel: KernelName;
  args: readonly number[];
}

/**
 * Runs jobs that may run at the same time: in the threads of a pool, or here one after the other.
 * Which of them does what never changes the result.
 */
export interface Crew {
  readonly threads: number;
  /** Whether jobs run in this thread, which they then keep from anything else. */
  readonly isHere: boolean;
  /** Resolves when all are done; undefined when they already are. */
  run(kernels: Kernels, jobs: readonly Job[]): Promise<number[]> | number[];
}

/** This thread alone. */
export const ALONE: Crew = {
  threads: 1,
  isHere: true,
  run: (kernels, jobs) =>
    jobs.map(({ kernel, args }) => {
      const call = kernels.call[kernel] as (...args: readonly number[]) => number | undefined;
      return call(...args) ?? 0;
    }),
};

/** The threads of a pool, at most so many of them. */
export function crewOf(pool: ThreadPool, threads: number): Crew {
  return {
    threads: Math.min(threads, pool.threads),
    isHere: false,
    run: async (kernels, jobs) => {
      const tasks = jobs.map(({ kernel, args }) => pool.run(kernels, kernel, args));
      // All have ended before one failure is reported: none may write any more.
      await Promise.allSettled(tasks);
      return Promise.all(tasks);
    },
  };
}
