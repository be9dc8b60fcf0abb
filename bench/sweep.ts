import { exactScorer } from '../src/eval/ground-truth.js';
import { recallAtK } from '../src/eval/metrics.js';
import type { Entrant } from './entrant.js';
import { pointAbove } from './frontier.js';
import { judge } from './judge.js';
import type { AllThreadsPoint, ResultPoint, Sample, Verdict } from './result.js';
import type { Run } from './run.js';
import { median } from './statistics.js';

/** Where the throughput of all threads is measured. */
const ALL_THREADS_RECALLS = [0.95, 0.99];

/** A beam width of an entrant, and what its repeats gave. */
interface Cell<T> {
  readonly entrant: Entrant;
  readonly ef: number;
  readonly samples: T[];
}

/**
 * The curve of every entrant. For each repeat and each beam width all take their turn, so that a
 * change in the machine's speed meets all of them alike.
 */
export async function measureCurves(
  run: Run,
  entrants: readonly Entrant[],
): Promise<ResultPoint[][]> {
  const verdictOn = referee(run);
  const cells = entrants.map((entrant) =>
    entrant.contender.efs.map((ef): Cell<Sample> => ({ entrant, ef, samples: [] })),
  );
  await repeatInTurn(run, 'searching', cells, ({ entrant, ef }, repeat) =>
    entrant.sample(ef, repeat, verdictOn),
  );
  return cells.map((curve) => curve.map(({ ef, samples }) => summarise(ef, samples)));
}

/**
 * Queries/s of all threads together, where the curves come to .95 and .99. An engine that searches
 * on one thread only has there what its curve says.
 */
export async function measureAllThreads(
  run: Run,
  entrants: readonly Entrant[],
  curves: readonly (readonly ResultPoint[])[],
): Promise<AllThreadsPoint[][]> {
  const points = curves.map((curve) => [
    ...new Set(ALL_THREADS_RECALLS.map((recall) => pointAbove(curve, recall) ?? curve.at(-1)!)),
  ]);
  const cells = entrants.map((entrant, i) =>
    points[i].map(({ ef }) => ({ entrant, ef, samples: [] as ThreadsSample[] })),
  );
  const parallel = cells.map((row, i) => (entrants[i].searchThreads > 1 ? row : []));
  await repeatInTurn(run, 'searching on all threads', parallel, ({ entrant, ef }, repeat) =>
    entrant.sampleAll(ef, repeat),
  );
  return cells.map((row, i) =>
    row.map(({ ef, samples }, j): AllThreadsPoint => {
      const { recall, ...point } = points[i][j];
      const threads = entrants[i].searchThreads;
      const speeds = samples.length > 0 ? spread(samples) : spread(point.samples);
      return { ef, recall, threads, ...speeds, samples };
    }),
  );
}

type ThreadsSample = AllThreadsPoint['samples'][number];

/** Fills the cells: repeat by repeat, column by column, every row in its turn. */
async function repeatInTurn<T>(
  { benchCase, repeats, log, onProgress }: Run,
  what: string,
  rows: readonly (readonly Cell<T>[])[],
  measure: (cell: Cell<T>, repeat: number) => Promise<T>,
): Promise<void> {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const total = repeats * rows.reduce((sum, row) => sum + row.length, 0);
  let done = 0;
  for (let repeat = 0; repeat < repeats && total > 0; repeat++) {
    log(`${benchCase.name}: ${what}, repeat ${repeat + 1} of ${repeats}`);
    for (let column = 0; column < columns; column++) {
      for (const row of rows) {
        const cell = row[column];
        if (cell === undefined) continue;
        cell.samples.push(await measure(cell, repeat));
        onProgress({ phase: `${benchCase.name}: ${what}`, done: ++done, total });
      }
    }
  }
}

/** Judges ids by the exact neighbours, of which those tied with the k-th count, and by judgements. */
function referee({ benchCase, data, truth }: Run): (ids: Uint32Array) => Verdict {
  const { corpus, queries, dimensions, judgements } = data;
  const { k, distance } = benchCase;
  const scoreOf = exactScorer(corpus, queries, dimensions, distance);
  return (ids) => ({
    recall: recallAtK(ids, truth, k, { scoreOf }),
    ...(judgements !== undefined && { task: judge(ids, k, judgements) }),
  });
}

/** Every repeat finds the same, so that the last one's task scores stand for all. */
function summarise(ef: number, samples: Sample[]): ResultPoint {
  const middle = (key: 'p50' | 'p95' | 'p99' | 'recall') =>
    median(samples.map((sample) => sample[key]));
  const { task, quantiles } = samples.at(-1)!;
  return {
    ef,
    recall: middle('recall'),
    ...(task !== undefined && { task }),
    ...spread(samples),
    p50: middle('p50'),
    p95: middle('p95'),
    p99: middle('p99'),
    quantiles: quantiles.map((_, i) => median(samples.map((sample) => sample.quantiles[i]))),
    samples: samples.map(({ quantiles: _, task: __, ...sample }) => sample),
  };
}

function spread(samples: readonly { readonly qps: number }[]) {
  const speeds = samples.map(({ qps }) => qps);
  return { qps: median(speeds), qpsMin: Math.min(...speeds), qpsMax: Math.max(...speeds) };
}
