import { NO_ID } from '../../src/eval/metrics.js';
import type { SearchReport } from '../protocol.js';
import type { SearchOne } from './engine.js';

export interface MeasurePlan {
  readonly count: number;
  readonly k: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/**
 * Times every search on its own. Ids are copied out of a pass of their own, before the clock runs,
 * so that the copy neither counts nor disturbs.
 */
export function measureSearches(search: SearchOne, plan: MeasurePlan): SearchReport {
  const { count, k, warmupMs, measureMs } = plan;
  const ids = new Uint32Array(count * k).fill(NO_ID);
  const started = performance.now();
  for (let query = 0; query < count; query++) ids.set(Array.from(search(query)), query * k);
  for (let query = 0; performance.now() - started < warmupMs; query++) search(query % count);
  const passes: Float64Array[] = [];
  const measuring = performance.now();
  do {
    passes.push(timedPass(search, count));
  } while (performance.now() - measuring < measureMs);
  const latencies = new Float64Array(passes.length * count);
  passes.forEach((pass, i) => {
    latencies.set(pass, i * count);
  });
  return { latencies, ids };
}

function timedPass(search: SearchOne, count: number): Float64Array {
  const latencies = new Float64Array(count);
  for (let query = 0; query < count; query++) {
    const started = performance.now();
    search(query);
    latencies[query] = (performance.now() - started) * 1000;
  }
  return latencies;
}
