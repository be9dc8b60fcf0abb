import type { Distance } from '../base/distance.js';
import { runSteps, type Steps, throwIfAborted } from '../base/steps.js';
import { exactScorer, type GroundTruth } from '../eval/ground-truth.js';
import { recallAtK } from '../eval/metrics.js';
import { LeanIndex } from '../graph/lean-index.js';
import type { BuildOptions, LeanIndexOptions } from '../graph/options.js';
import type { IndexStats } from '../graph/stats.js';
import { beamWidths, type CurvePoint } from './recall-curve.js';

/** What shapes an index beside its size and its distance. */
export type Settings = Omit<LeanIndexOptions, 'dimensions' | 'distance'>;
/** How trials run. */
export type TrialRun = Pick<BuildOptions, 'signal' | 'threads'>;

/** The exact neighbours of some queries, and what judges by them. */
export interface Truth {
  k: number;
  /** Of 2 k neighbours, where there are so many: ties may run on beyond the k-th. */
  neighbours: GroundTruth;
  /** recall@k of m x k ids; what lies as far as the k-th counts. */
  recallOf: (ids: Uint32Array) => number;
}

/** Vectors and queries with their exact neighbours. */
export interface TrialSet {
  rows: Float32Array;
  queries: Float32Array;
  dimensions: number;
  distance: Distance;
  truth: Truth;
}

/** An index that was built of a trial set, and what it found. */
export interface Trial {
  settings: Settings;
  /** Whether the projection was trained for queries. */
  trained: boolean;
  /** Vectors in it. */
  count: number;
  curve: CurvePoint[];
  stats: IndexStats;
}

/** So far beyond the goal a curve is measured: the beam that reaches it lies between two points. */
const BEYOND = 0.01;
/** Scores computed between two yields, of up to some thousand numbers each. */
const SCORES_PER_STEP = 256;
/** Of `exactBelow`. */
export const EXACT_MOST = 1_000_000;

/**
 * The nearest of each query by a scan of float32 vectors in other threads, with scores in float64.
 * @param rows at least k, fewer than a million.
 */
export async function exactTruth(
  rows: Float32Array,
  queries: Float32Array,
  dimensions: number,
  k: number,
  distance: Distance,
  run: TrialRun,
): Promise<Truth> {
  const index = await LeanIndex.build(rows, {
    ...{ dimensions, distance, exactBelow: EXACT_MOST },
    ...run,
  });
  try {
    const depth = Math.min(2 * k, index.count);
    const { ids } = await index.searchBatch(queries, depth);
    const scoreOf = exactScorer(rows, queries, dimensions, distance);
    const scores = await runSteps(scoresOf(ids, depth, scoreOf), run);
    const neighbours = { distance, k: depth, ids, scores };
    return { k, neighbours, recallOf: (found) => recallAtK(found, neighbours, k, { scoreOf }) };
  } finally {
    await index.close();
  }
}

/** Of the ids found for each query. */
function* scoresOf(
  ids: Uint32Array,
  depth: number,
  scoreOf: (query: number, id: number) => number,
): Steps<Float64Array> {
  const scores = new Float64Array(ids.length);
  for (const [i, id] of ids.entries()) {
    scores[i] = scoreOf(Math.floor(i / depth), id);
    if (i % SCORES_PER_STEP === 0) yield;
  }
  return scores;
}

/** Builds an index with these settings and measures its recall beam by beam, up to a goal. */
export async function tryOut(
  set: TrialSet,
  settings: Settings,
  goal: number,
  run: TrialRun,
  training?: Float32Array,
): Promise<Trial> {
  const { rows, queries, dimensions, distance, truth } = set;
  const index = await LeanIndex.build(rows, {
    ...settings,
    ...{ dimensions, distance, exactBelow: 0 },
    ...(training && { queries: training }),
    ...run,
  });
  try {
    const curve: CurvePoint[] = [];
    for (const ef of beamWidths(truth.k)) {
      throwIfAborted(run.signal);
      const { ids } = await index.searchBatch(queries, truth.k, { ef });
      const recall = truth.recallOf(ids);
      curve.push({ ef, recall });
      if (recall >= Math.min(1, goal + BEYOND)) break;
    }
    const stats = index.stats();
    return { settings, trained: training !== undefined, count: index.count, curve, stats };
  } finally {
    await index.close();
  }
}
