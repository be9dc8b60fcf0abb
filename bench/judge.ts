import { meanOverJudged, mrrAtK, NO_ID, ndcgAtK, recallFromQrelsAtK } from '../src/eval/metrics.js';
import type { Judgements } from './data.js';

/** What rankings are worth by the judgements, means over the judged queries. */
export interface TaskScores {
  readonly ndcgAt10: number;
  /** Of the documents with a positive judgement, those among the first 100 (or the k of the case). */
  readonly recallAt100: number;
  readonly mrrAt10: number;
}

/** @param ids rows of k row numbers, best first, padded with NO_ID, one for each judged query. */
export function judge(ids: Uint32Array, k: number, judgements: Judgements): TaskScores {
  const { corpusIds, queryIds, qrels } = judgements;
  const rankings = new Map(
    queryIds.map((id, query) => {
      const row = ids.subarray(query * k, (query + 1) * k).filter((found) => found !== NO_ID);
      return [id, Array.from(row, (found) => corpusIds[found])] as const;
    }),
  );
  // Judged queries that were not asked are none of this ranking's business.
  const asked = new Map(queryIds.map((id) => [id, qrels.get(id)!] as const));
  return {
    ndcgAt10: meanOverJudged(ndcgAtK, rankings, asked, 10).mean,
    recallAt100: meanOverJudged(recallFromQrelsAtK, rankings, asked, Math.min(100, k)).mean,
    mrrAt10: meanOverJudged(mrrAtK, rankings, asked, 10).mean,
  };
}
