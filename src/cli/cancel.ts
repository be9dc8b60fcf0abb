import type { RunOptions } from '../base/steps.js';
import { progressBar } from './progress.js';

/** What a process that a signal ended exits with, as shells do. */
export const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs long work with a progress bar. SIGINT and SIGTERM abort it, and the error `ABORTED` has the name
 * of the signal as its cause; a second signal ends the process at once.
 */
export async function cancellable<T>(work: (run: Required<RunOptions>) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const bar = progressBar();
  const cancel = (name: keyof typeof EXIT_OF_SIGNAL) => {
    if (controller.signal.aborted) process.exit(EXIT_OF_SIGNAL[name]);
    controller.abort(name);
  };
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  try {
    return await work({ signal: controller.signal, onProgress: bar.update });
  } finally {
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
    bar.stop();
  }
}
