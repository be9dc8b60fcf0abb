import type { Distance } from '../../src/base/distance.js';
import { gatherRows } from '../../src/base/gather-rows.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import { NO_ID, recallAtK } from '../../src/eval/metrics.js';
import type { BenchData } from '../data.js';
import { runContest, speedOf, warmupOf } from './contest.js';
import type { FilteredPoint, FilteredResult } from './result.js';
import type { SuiteOptions } from './run.js';
import { caseOf, type FilteredTask } from './suite.js';

const K = 10;

/** Rows that a filter leaves, ascending, and the exact neighbours among them. */
interface Allowed {
  readonly share: number;
  readonly far: boolean;
  readonly rows: Uint32Array;
}

/**
 * Every share twice: rows at random, and those that are farthest from the mean of the queries, which
 * mislead a graph most.
 */
export async function runFiltered(
  task: FilteredTask,
  options: SuiteOptions,
): Promise<FilteredResult> {
  const benchCase = caseOf({ ...task, efs: [task.ef] }, K);
  let filters: readonly Allowed[] = [];
  const measured = await runContest(benchCase, options, {
    vectors: ({ corpus }) => corpus,
    filters: (data) => {
      filters = allowedRows(task, data);
      return filters.map(({ rows }) => rows);
    },
    measure: async (opponent, { data, queriesPath }) => {
      const points: FilteredPoint[] = [];
      for (const [filter, allowed] of filters.entries()) {
        const { measureMs } = benchCase;
        const report = await opponent.searchFiltered({
          ...{ queriesPath, k: K, ef: task.ef, warmupMs: warmupOf(measureMs), measureMs, filter },
        });
        points.push({
          ...{ share: allowed.share, far: allowed.far, allowed: allowed.rows.length },
          ...judged(report.ids, allowed, data, benchCase.distance),
          ...speedOf(report),
        });
      }
      return { points };
    },
  });
  const { data, contenders, skipped } = measured;
  return { kind: 'filtered', name: task.name, task, data: data.info, contenders, skipped };
}

function judged(
  found: Uint32Array,
  { rows }: Allowed,
  { corpus, queries, dimensions }: BenchData,
  distance: Distance,
): Pick<FilteredPoint, 'recall' | 'complete'> {
  const k = Math.min(K, rows.length);
  const left = gatherRows(corpus, dimensions, rows);
  const depth = Math.min(2 * k, rows.length);
  const truth = exactNeighbours(left, queries, dimensions, depth, distance);
  const places = new Map(Array.from(rows, (row, i) => [row, i]));
  // What is not allowed has no place: it counts as nothing found.
  const ids = found.map((id) => places.get(id) ?? NO_ID);
  const scoreOf = exactScorer(left, queries, dimensions, distance);
  let least = k;
  for (let at = 0; at < ids.length; at += K) {
    least = Math.min(least, ids.subarray(at, at + K).filter((id) => id !== NO_ID).length);
  }
  return {
    recall: recallAtK(ids, truth, k, { foundPerQuery: K, scoreOf }),
    complete: least / k,
  };
}

function allowedRows({ shares, seed }: FilteredTask, data: BenchData): Allowed[] {
  const { count } = data.info;
  const random = new Random(seed).permutation(count);
  const far = byDistance(data);
  return shares.flatMap((share) => {
    const size = Math.max(1, Math.round(share * count));
    const first = (order: Uint32Array) => order.slice(0, size).sort();
    return [
      { share, far: false, rows: first(random) },
      { share, far: true, rows: first(far) },
    ];
  });
}

/** Rows by the product with the mean of the queries, the least first. */
function byDistance({ corpus, queries, dimensions, info }: BenchData): Uint32Array {
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < queries.length; i++) mean[i % dimensions] += queries[i];
  const products = new Float64Array(info.count);
  for (let row = 0; row < info.count; row++) {
    for (let i = 0; i < dimensions; i++) products[row] += corpus[row * dimensions + i] * mean[i];
  }
  return Uint32Array.from(products.keys()).sort((a, b) => products[a] - products[b] || a - b);
}
