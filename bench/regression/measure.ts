import type { Generated } from '../../datasets/generate.js';
import { generateClusters, generateSpectrum } from '../../datasets/generate.js';
import type { Distance } from '../../src/base/distance.js';
import { gatherRows } from '../../src/base/gather-rows.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import { NO_ID, recallAtK } from '../../src/eval/metrics.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import { TEXT_LIKE } from '../cases.js';
import { searchAll } from '../search-all.js';
import { distancesSoFar } from './counters.js';

/** Counted, not timed: the same on every machine whose kernels give the same bits. */
export interface Work {
  /** Distances on primary codes for a vector that is inserted. */
  readonly buildDistances: number;
  /** Distances a query on primary codes, and recall@10, at beam widths. */
  readonly distances: Readonly<Record<number, number>>;
  readonly recall: Readonly<Record<number, number>>;
  /** With a tenth of the vectors allowed, at the widest beam. */
  readonly filteredRecall: number;
  /** At the narrowest, after a fifth was deleted and the same vectors were added again. */
  readonly churnedRecall: number;
  readonly bytesPerVector: number;
  /** Of the saved index. */
  readonly savedBytes: number;
}

const EFS = [32, 128];
const K = 10;
const QUERIES = 200;
const SEED = 1;

interface RegressionCase {
  readonly data: () => Generated;
  readonly options: Omit<LeanIndexOptions, 'dimensions'>;
}

const spectrum = (count: number, dimensions: number) => () =>
  generateSpectrum({
    ...{ count, dimensions, queries: QUERIES },
    ...TEXT_LIKE,
  });

/** Small, and each with another way through the code. */
const CASES: Readonly<Record<string, RegressionCase>> = {
  default: { data: spectrum(4000, 256), options: {} },
  compact: { data: spectrum(4000, 256), options: { preset: 'compact' } },
  euclid: {
    data: () =>
      generateClusters({
        ...{ count: 3000, dimensions: 64, queries: QUERIES, seed: SEED },
        ...{ clusters: 20, spread: 0.7 },
      }),
    options: { distance: 'Euclid' },
  },
  float32: {
    data: spectrum(2500, 96),
    options: { primaryBits: 32, secondaryBits: 32, distance: 'Dot' },
  },
};

/** The work of all cases, by name; takes a few seconds and one thread. */
export async function measureWork(): Promise<Record<string, Work>> {
  const works: Record<string, Work> = {};
  for (const [name, each] of Object.entries(CASES)) works[name] = await measure(each);
  return works;
}

async function measure({ data, options }: RegressionCase): Promise<Work> {
  const { corpus, queries, dimensions } = data();
  const distance = (options.distance ?? 'Cosine') as Distance;
  const index = await LeanIndex.build(corpus, { ...options, dimensions, threads: 1 });
  try {
    const buildDistances = distancesSoFar(index) / index.count;
    const truth = exactNeighbours(corpus, queries, dimensions, 2 * K, distance);
    const scoreOf = exactScorer(corpus, queries, dimensions, distance);
    const judge = (ids: Uint32Array) => recallAtK(ids, truth, K, { scoreOf });
    const distances: Record<number, number> = {};
    const recall: Record<number, number> = {};
    for (const ef of EFS) {
      const before = distancesSoFar(index);
      recall[ef] = judge(searchAll(index, queries, K, { ef }));
      distances[ef] = (distancesSoFar(index) - before) / QUERIES;
    }
    const saved = index.toBytes().length;
    const { total } = index.stats().bytesPerVector;
    const filteredRecall = filtered(index, corpus, queries, distance);
    await churn(index, corpus, dimensions);
    return {
      ...{ buildDistances, distances, recall, filteredRecall },
      churnedRecall: judge(searchAll(index, queries, K, { ef: EFS[0] })),
      ...{ bytesPerVector: total, savedBytes: saved },
    };
  } finally {
    await index.close();
  }
}

function filtered(
  index: LeanIndex,
  corpus: Float32Array,
  queries: Float32Array,
  distance: Distance,
): number {
  const { dimensions, count } = index;
  const rows = new Random(SEED)
    .permutation(count)
    .slice(0, count / 10)
    .sort();
  const left = gatherRows(corpus, dimensions, rows);
  const truth = exactNeighbours(left, queries, dimensions, 2 * K, distance);
  const places = new Map(Array.from(rows, (row, i) => [row, i]));
  const found = searchAll(index, queries, K, { ef: EFS.at(-1)!, allow: rows });
  return recallAtK(
    found.map((id) => places.get(id) ?? NO_ID),
    truth,
    K,
  );
}

/** Afterwards the index holds what it held before. */
async function churn(index: LeanIndex, corpus: Float32Array, dimensions: number): Promise<void> {
  const ids = new Random(SEED + 1).permutation(index.count).slice(0, index.count / 5);
  await index.delete(ids);
  await index.add(gatherRows(corpus, dimensions, ids), { ids, threads: 1 });
}
