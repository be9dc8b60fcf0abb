import { exactScorer } from '../src/eval/ground-truth.js';
import { recallAtK } from '../src/eval/metrics.js';
import type { Opponent } from './opponent.js';
import type { ResultPoint } from './result.js';
import type { Run } from './run.js';
import { median, percentile } from './statistics.js';

/** The first searches compile; this long is enough for V8 to be done with them. */
const WARMUP_MS = 100;

/** The repeats of one point. */
interface Samples {
  recallAt10: number;
  readonly qps: number[];
  readonly p50: number[];
  readonly p95: number[];
  readonly p99: number[];
}

/**
 * The curve of every opponent. For each repeat and each beam width all opponents take their turn,
 * so that a change in the machine's speed meets all of them alike.
 */
export async function measureCurves(
  run: Run,
  opponents: readonly Opponent[],
): Promise<ResultPoint[][]> {
  const { benchCase, repeats, log } = run;
  const samples = opponents.map(({ contender }) => contender.efs.map(noSamples));
  const recallOf = recallMeter(run);
  const steps = Math.max(...opponents.map(({ contender }) => contender.efs.length));
  for (let repeat = 0; repeat < repeats; repeat++) {
    log(`${benchCase.name}: searching, repeat ${repeat + 1} of ${repeats}`);
    for (let step = 0; step < steps; step++) {
      for (const [i, opponent] of opponents.entries()) {
        const ef = opponent.contender.efs[step];
        if (ef === undefined) continue;
        await measurePoint(run, opponent, ef, samples[i][step], recallOf);
      }
    }
  }
  return opponents.map(({ contender }, i) =>
    contender.efs.map((ef, step) => summarise(ef, samples[i][step])),
  );
}

function noSamples(): Samples {
  return { recallAt10: Number.NaN, qps: [], p50: [], p95: [], p99: [] };
}

async function measurePoint(
  { benchCase, queriesPath }: Run,
  opponent: Opponent,
  ef: number,
  samples: Samples,
  recallOf: (ids: Uint32Array) => number,
): Promise<void> {
  const { k, measureMs } = benchCase;
  const request = { queriesPath, k, ef, warmupMs: WARMUP_MS, measureMs };
  const { latencies, ids } = await opponent.search(request);
  // The index is the same in every repeat, and so is what it finds.
  if (samples.qps.length === 0) samples.recallAt10 = recallOf(ids);
  const total = latencies.reduce((sum, latency) => sum + latency, 0);
  const sorted = latencies.sort();
  samples.qps.push((1e6 * latencies.length) / total);
  samples.p50.push(percentile(sorted, 0.5));
  samples.p95.push(percentile(sorted, 0.95));
  samples.p99.push(percentile(sorted, 0.99));
}

/** Judges ids by the exact neighbours; ids tied with the k-th count as found. */
function recallMeter({ benchCase, data, truth }: Run): (ids: Uint32Array) => number {
  const { corpus, queries, dimensions } = data;
  const scoreOf = exactScorer(corpus, queries, dimensions, benchCase.distance);
  return (ids) => recallAtK(ids, truth, benchCase.k, { scoreOf });
}

function summarise(ef: number, { recallAt10, qps, p50, p95, p99 }: Samples): ResultPoint {
  return {
    ef,
    recallAt10,
    qps: median(qps),
    p50: median(p50),
    p95: median(p95),
    p99: median(p99),
    qpsMin: Math.min(...qps),
    qpsMax: Math.max(...qps),
  };
}
