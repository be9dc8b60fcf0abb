import { readFileSync } from 'node:fs';
import { percentile } from '../statistics.js';

/** What was done in a while, so many requests under way at any time. */
export interface Load {
  /** Requests a second. */
  perSecond: number;
  /** Milliseconds of a request. */
  p50: number;
  p99: number;
  /** Requests a second of processor time, client and server together: other work changes it little. */
  perProcessorSecond: number;
}

/** Calls `run` again and again for so long, `atOnce` calls under way. */
export async function load(
  run: (i: number) => Promise<unknown>,
  { seconds, atOnce, pid }: { seconds: number; atOnce: number; pid: number | undefined },
): Promise<Load> {
  const times: number[] = [];
  const before = processorSeconds(pid);
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
    perProcessorSecond: times.length / (processorSeconds(pid) - before),
  };
}

/** Of this process and another one. Linux counts that of others in hundredths of a second. */
function processorSeconds(pid: number | undefined): number {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  if (pid === undefined) return own;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return own + (Number(fields[11]) + Number(fields[12])) / 100;
}
