import { percentile } from '../statistics.js';

/** What was done in a while, so many requests under way at any time. */
export interface Load {
  /** Requests a second. */
  perSecond: number;
  /** Milliseconds of a request. */
  p50: number;
  p99: number;
}

/** Calls `run` again and again for so long, `atOnce` calls under way. */
export async function load(
  run: (i: number) => Promise<unknown>,
  { seconds, atOnce }: { seconds: number; atOnce: number },
): Promise<Load> {
  const times: number[] = [];
  const start = performance.now();
  const end = start + 1000 * seconds;
  let i = 0;
  const lane = async () => {
    while (performance.now() < end) {
      const began = performance.now();
      await run(i++);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const elapsed = (performance.now() - start) / 1000;
  const sorted = Float64Array.from(times).sort();
  return {
    perSecond: times.length / elapsed,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}
