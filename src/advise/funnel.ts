import { checkInteger, checkOptions, checkRows } from '../base/check.js';
import { DISTANCES, type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { runSteps } from '../base/steps.js';
import { nearestIds } from '../eval/ground-truth.js';
import { type GainOf, idealGains, type TaskScores, taskScores } from '../eval/labels.js';
import { LeanIndex } from '../graph/lean-index.js';
import { exactTruth, type Settings, type TrialRun } from './trial.js';

export type { GainOf, TaskScores };

export interface FunnelOptions extends TrialRun {
  dimensions: number;
  /** The distance in use. Default `Cosine`. */
  distance?: DistanceName | undefined;
  /** What row `id` is worth to a query: 0, or 1 for the right label, or a judgement. */
  gainOf: GainOf;
  /** Default 10. */
  k?: number | undefined;
  /** Beam of both graphs. Default: that of `search`. */
  ef?: number | undefined;
  /** Of the compressed index; the graph on float32 has the same seed and links. */
  settings?: Settings | undefined;
}

/** What is left of the task after a stage, and what that stage lost. */
export interface FunnelStage {
  stage: 'embedding' | 'metric' | 'index' | 'compression';
  /** What was searched, in words. */
  by: string;
  /** recall@k against exact search by the distance in use; NaN where the stage is another distance. */
  recall: number;
  scores: TaskScores;
  /** Less than the stage before; of `embedding`, less than 1. Negative where the stage gained. */
  lost: TaskScores;
}

const OPTIONS = [
  ...['dimensions', 'distance', 'gainOf', 'k', 'ef', 'settings', 'signal', 'threads'],
];
const PERFECT: TaskScores = { labelRecall: 1, hit: 1, matching: 1 };

/**
 * The information-loss funnel (Iceberg, arXiv 2512.12980), stage by stage: the embedding, by exact
 * search with whichever distance serves the task best; the distance in use, exactly; a graph on
 * float32 vectors; the compressed index.
 *
 * @param corpus n x dimensions, k ≤ n < 1,000,000.
 * @param queries m x dimensions, m ≥ 1.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`; LeandexError `ABORTED`.
 */
export async function lossFunnel(
  corpus: Float32Array,
  queries: Float32Array,
  options: FunnelOptions,
): Promise<FunnelStage[]> {
  checkOptions('lossFunnel', options, OPTIONS);
  const { gainOf, ef, settings = {}, signal, threads } = options;
  if (typeof gainOf !== 'function') throw wrongType('gainOf', 'a function', gainOf);
  const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
  const distance = parseDistance(options.distance ?? 'Cosine');
  const count = checkRows('corpus', corpus, dimensions);
  const asked = checkRows('queries', queries, dimensions);
  if (asked === 0) throw outOfRange('the number of queries', 'at least 1', 0);
  const k = checkInteger('k', options.k ?? 10, 1, count);
  const run = {
    ...(signal !== undefined && { signal }),
    ...(threads !== undefined && { threads }),
  };
  const ideal = await runSteps(idealGains(gainOf, asked, count, k), run);
  const score = (ids: Uint32Array) => taskScores(ids, k, gainOf, ideal);
  const exact = [];
  for (const of of DISTANCES) {
    const truth = await exactTruth(corpus, queries, dimensions, k, of, run);
    exact.push({ distance: of, truth, scores: score(nearestIds(truth.neighbours, k)) });
  }
  const own = exact.find((each) => each.distance === distance)!;
  // The distance in use is as good as any that is not better.
  const best = exact.reduce((a, b) => (b.scores.matching > a.scores.matching ? b : a), own);
  const searched = async (with_: Settings) => {
    const index = await LeanIndex.build(corpus, {
      ...with_,
      ...{ dimensions, distance, exactBelow: 0, ...run },
    });
    try {
      const { ids } = await index.searchBatch(queries, k, ef === undefined ? {} : { ef });
      return { ids, recall: own.truth.recallOf(ids) };
    } finally {
      await index.close();
    }
  };
  const floats = await searched({ ...settings, primaryBits: 32, secondaryBits: 32 });
  const codes = await searched(settings);
  const isOwn = best === own;
  return withLosses([
    {
      stage: 'embedding',
      by: `exact search by ${best.distance}, the best`,
      recall: isOwn ? 1 : Number.NaN,
      scores: best.scores,
    },
    { stage: 'metric', by: `exact search by ${distance}`, recall: 1, scores: own.scores },
    { stage: 'index', by: 'a graph on float32', recall: floats.recall, scores: score(floats.ids) },
    { stage: 'compression', by: 'the index', recall: codes.recall, scores: score(codes.ids) },
  ]);
}

function withLosses(stages: Omit<FunnelStage, 'lost'>[]): FunnelStage[] {
  return stages.map((stage, i) => {
    const before = i === 0 ? PERFECT : stages[i - 1].scores;
    const { labelRecall, hit, matching } = stage.scores;
    return {
      ...stage,
      lost: {
        labelRecall: before.labelRecall - labelRecall,
        hit: before.hit - hit,
        matching: before.matching - matching,
      },
    };
  });
}
