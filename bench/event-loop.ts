import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, in milliseconds, while something asynchronous ran for some seconds. */
export interface Lateness {
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export async function watchEventLoop<T>(
  work: () => Promise<T>,
): Promise<{ result: T; lateness: Lateness }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const start = performance.now();
  delay.enable();
  try {
    const result = await work();
    delay.disable();
    const seconds = (performance.now() - start) / 1000;
    // The timer itself waits for a millisecond.
    const late = (ns: number) => Math.max(0, ns / 1e6 - 1);
    const [p50, p99] = [50, 99].map((percent) => late(delay.percentile(percent)));
    return { result, lateness: { seconds, p50, p99, max: late(delay.max) } };
  } finally {
    delay.disable();
  }
}
