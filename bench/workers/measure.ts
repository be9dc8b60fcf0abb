import { NO_ID } from '../../src/eval/metrics.js';
import type { Searcher } from '../engine.js';
import type { SearchAllReport, SearchReport } from '../protocol.js';

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
export function measureSearches(searcher: Searcher, plan: MeasurePlan): SearchReport {
  const { count, k, warmupMs, measureMs } = plan;
  const ids = new Uint32Array(count * k).fill(NO_ID);
  const started = performance.now();
  for (let query = 0; query < count; query++) {
    ids.set(Array.from(searcher.idsOf(searcher.search(query))), query * k);
  }
  for (let query = 0; performance.now() - started < warmupMs; query++) {
    searcher.search(query % count);
  }
  const passes: Float64Array[] = [];
  const clock = startClock();
  do {
    passes.push(timedPass(searcher, count));
  } while (clock.milliseconds() < measureMs);
  const coresBusy = clock.coresBusy();
  const latencies = new Float64Array(passes.length * count);
  passes.forEach((pass, i) => {
    latencies.set(pass, i * count);
  });
  return { latencies, ids, coresBusy };
}

function timedPass(searcher: Searcher, count: number): Float64Array {
  const latencies = new Float64Array(count);
  for (let query = 0; query < count; query++) {
    const started = performance.now();
    searcher.search(query);
    latencies[query] = (performance.now() - started) * 1000;
  }
  return latencies;
}

/** Times passes over all queries, each of which keeps all threads busy by itself. */
export async function measureAll(
  searchAll: () => Promise<unknown>,
  { count, warmupMs, measureMs }: MeasurePlan,
): Promise<SearchAllReport> {
  const warming = startClock();
  do await searchAll();
  while (warming.milliseconds() < warmupMs);
  const clock = startClock();
  let passes = 0;
  do {
    await searchAll();
    passes++;
  } while (clock.milliseconds() < measureMs);
  const coresBusy = clock.coresBusy();
  return { qps: (1000 * passes * count) / clock.milliseconds(), coresBusy };
}

/** Time on the wall and in all threads of this process, from now on. */
export function startClock() {
  const started = performance.now();
  const before = process.cpuUsage();
  const milliseconds = () => performance.now() - started;
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  return { milliseconds, cpuSeconds, coresBusy: () => (1000 * cpuSeconds()) / milliseconds() };
}
