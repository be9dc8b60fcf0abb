import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import { NO_ID, recallAtK } from '../../src/eval/metrics.js';
import { LeanIndex } from '../../src/index.js';
import { type BenchData, type DataInfo, loadData } from '../data.js';
import { rowOf } from '../engine.js';
import { distancesSoFar } from '../regression/counters.js';
import { median } from '../statistics.js';
import type { Group, Variant } from './plan.js';

const K = 10;
const QUERIES = 1000;
/** Of the queries behind those that measure. */
const TRAINING = 1000;

/** One beam width: recall and distances do not depend on the machine's mood, times do. */
export interface SettingPoint {
  readonly ef: number;
  readonly recall: number;
  /** On primary codes, a query. */
  readonly distances: number;
  /** Microseconds of a query, the median of the rounds. */
  readonly micros: number;
  /** The same as a multiple of the first variant's in the same round; the median. */
  readonly times: number;
}

export interface VariantResult extends Variant {
  readonly bytesPerVector: Readonly<Record<string, number>>;
  readonly points: readonly SettingPoint[];
}

export interface GroupResult {
  readonly name: string;
  readonly data: DataInfo;
  readonly variants: readonly VariantResult[];
}

interface Subject {
  readonly variant: Variant;
  readonly index: LeanIndex;
}

/** What a pass over all queries found and took. */
interface Pass {
  readonly ids: Uint32Array;
  readonly distances: number;
  readonly micros: number;
}

/**
 * Builds the variants of a group and searches them in turn, on one thread.
 * @throws LeandexError `NOT_FOUND` without the data.
 */
export async function measureGroup(group: Group, rounds: number): Promise<GroupResult> {
  const needsTraining = group.variants.some(({ trained }) => trained);
  const wanted = needsTraining ? QUERIES + TRAINING : QUERIES;
  const data = await loadData({ data: group.data, queries: wanted, queriesMost: true });
  const { corpus, dimensions } = data;
  const count = Math.min(QUERIES, data.info.queries);
  const queries = data.queries.subarray(0, count * dimensions);
  const subjects: Subject[] = [];
  for (const variant of group.variants) {
    const index = await LeanIndex.build(corpus, {
      ...{ ...variant.options, dimensions },
      ...(variant.trained && { queries: data.queries.slice(count * dimensions) }),
    });
    subjects.push({ variant, index });
  }
  const judge = judgeOf(data, queries);
  const points = subjects.map((): SettingPoint[] => []);
  for (const ef of group.efs) {
    const passes = inTurn(subjects, queries, ef, rounds);
    passes.forEach((of, i) => {
      const ratios = of.map(({ micros }, round) => micros / passes[0][round].micros);
      points[i].push({
        ...{ ef, recall: judge(of[0].ids), distances: of[0].distances },
        ...{ micros: median(of.map(({ micros }) => micros)), times: median(ratios) },
      });
    });
  }
  const variants = subjects.map(({ variant, index }, i) => ({
    ...variant,
    bytesPerVector: index.stats().bytesPerVector,
    points: points[i],
  }));
  for (const { index } of subjects) await index.close();
  return { name: group.name, data: data.info, variants };
}

/** Passes of every subject, round by round; the first round only warms up. */
function inTurn(
  subjects: readonly Subject[],
  queries: Float32Array,
  ef: number,
  rounds: number,
): Pass[][] {
  const passes = subjects.map((): Pass[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { index, variant }] of subjects.entries()) {
      const pass = searchAll(index, queries, { ...variant.search, ef });
      if (round > 0) passes[i].push(pass);
    }
  }
  return passes;
}

function searchAll(
  index: LeanIndex,
  queries: Float32Array,
  options: { ef: number; rerank?: number },
): Pass {
  const { dimensions } = index;
  const count = queries.length / dimensions;
  const rows = { count, dimensions, data: queries };
  const ids = new Uint32Array(count * K).fill(NO_ID);
  const before = distancesSoFar(index);
  const start = performance.now();
  for (let query = 0; query < count; query++) {
    ids.set(index.search(rowOf(rows, query), K, options).ids, query * K);
  }
  const micros = (1000 * (performance.now() - start)) / count;
  return { ids, micros, distances: (distancesSoFar(index) - before) / count };
}

function judgeOf({ corpus, dimensions }: BenchData, queries: Float32Array) {
  const truth = exactNeighbours(corpus, queries, dimensions, 2 * K, 'Cosine');
  const scoreOf = exactScorer(corpus, queries, dimensions, 'Cosine');
  return (ids: Uint32Array) => recallAtK(ids, truth, K, { scoreOf });
}
