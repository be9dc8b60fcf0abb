import { DISTANCES } from '../src/base/distance.js';
import { pointAtEf } from './frontier.js';
import type { CaseResult } from './result.js';

/** What is left of the task after a stage, and what the stage lost; nDCG@10. */
export interface FunnelStage {
  readonly stage: 'embedding' | 'metric' | 'index' | 'compression';
  /** What was searched, in words. */
  readonly by: string;
  readonly ndcgAt10: number;
  /** Less than the stage before, of `embedding` less than 1; negative where the stage gained. */
  readonly lost: number;
}

/**
 * Where the task is lost (Iceberg, arXiv 2512.12980): by the embedding, searched exactly with the
 * distance that serves it best; by the distance in use; by the graph on the vectors themselves; and
 * by the codes of the default, both at one beam width. Stages whose contender took no part are
 * left out.
 */
export function funnelOf(result: CaseResult, ef: number): FunnelStage[] {
  const { exact, distance, contenders } = result;
  if (exact === undefined) return [];
  const best = DISTANCES.reduce(
    (a, b) => (exact[b].ndcgAt10 > exact[a].ndcgAt10 ? b : a),
    distance,
  );
  const scoreOf = (name: string) => {
    const points = contenders.find((each) => each.name === name)?.points;
    return points && pointAtEf(points, ef)?.task?.ndcgAt10;
  };
  const stages: readonly [FunnelStage['stage'], string, number | undefined][] = [
    ['embedding', `exact search by ${best}, the best`, exact[best].ndcgAt10],
    ['metric', `exact search by ${distance}`, exact[distance].ndcgAt10],
    ['index', `a graph on float32, ef ${ef}`, scoreOf('leandex originals')],
    ['compression', `the default, ef ${ef}`, scoreOf('leandex')],
  ];
  let before = 1;
  return stages.flatMap(([stage, by, ndcgAt10]) => {
    if (ndcgAt10 === undefined) return [];
    const lost = before - ndcgAt10;
    before = ndcgAt10;
    return [{ stage, by, ndcgAt10, lost }];
  });
}
