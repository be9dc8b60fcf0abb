import { describe, expect, test } from 'vitest';
import { type Qrels, readBeir } from '../../datasets/beir.js';
import { loadQuickstart } from '../../datasets/quickstart.js';
import { loadEmbeddings, sharedFolder } from '../../datasets/shared.js';
import type { Distance } from '../../src/base/distance.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { meanOverJudged, mrrAtK, ndcgAtK, recallFromQrelsAtK } from '../../src/eval/metrics.js';

type Rankable = {
  dimensions: number;
  corpus: Float32Array;
  queries: Float32Array;
  corpusIds: string[];
  queryIds: string[];
  qrels: Qrels;
};

/** The exact rankings of the judged queries, 100 deep. */
function rankings(set: Rankable, distance: Distance): Map<string, string[]> {
  const { dimensions, corpusIds, queryIds, qrels } = set;
  const judged = [...queryIds.keys()].filter((row) => qrels.has(queryIds[row]));
  const rows = judged.map((row) => set.queries.subarray(row * dimensions, (row + 1) * dimensions));
  const queries = new Float32Array(rows.length * dimensions);
  for (const [i, row] of rows.entries()) queries.set(row, i * dimensions);
  const { ids } = exactNeighbours(set.corpus, queries, dimensions, 100, distance);
  const rankingOf = (i: number) => [...ids.subarray(i * 100, (i + 1) * 100)];
  return new Map(
    judged.map((row, i) => [queryIds[row], rankingOf(i).map((id) => corpusIds[id])] as const),
  );
}

describe('the quick-start set', () => {
  const { documents, queryTexts, ...vectors } = loadQuickstart();
  const set: Rankable = {
    ...vectors,
    corpusIds: documents.map(({ id }) => id),
    queryIds: queryTexts.map(({ id }) => id),
  };

  test('exact cosine search gives nDCG@10 = 0.4019 over its 500 judged queries', () => {
    const ranked = rankings(set, 'Cosine');
    const { mean, queries } = meanOverJudged(ndcgAtK, ranked, set.qrels, 10);
    expect(queries).toBe(500);
    expect(Math.abs(mean - 0.4019)).toBeLessThan(0.0005);
    // With one relevant document a query, MRR@10 is below nDCG@10 and Recall@100 above.
    expect(meanOverJudged(mrrAtK, ranked, set.qrels, 10).mean).toBeLessThan(mean);
    expect(meanOverJudged(recallFromQrelsAtK, ranked, set.qrels, 100).mean).toBeGreaterThan(mean);
  });

  test('on unit vectors all three distances rank alike', () => {
    const measure = (distance: Distance) =>
      meanOverJudged(ndcgAtK, rankings(set, distance), set.qrels, 10).mean;
    const cosine = measure('Cosine');
    // float16 leaves lengths off by 1e-4, enough to swap a few near ties.
    expect(Math.abs(measure('Dot') - cosine)).toBeLessThan(0.002);
    expect(Math.abs(measure('Euclid') - cosine)).toBeLessThan(0.002);
  });
});

describe('real data in ../shared', () => {
  const vectors = sharedFolder('scifact-minilm384');
  const texts = sharedFolder('scifact');
  const absent = vectors === undefined || texts === undefined;
  test.skipIf(absent)('scifact nDCG@10 = 0.6477 (skipped when it is absent)', () => {
    const { corpusIds, queryIds, ...rest } = loadEmbeddings(vectors!);
    const { qrels } = readBeir(texts!);
    const set = { ...rest, corpusIds: corpusIds!, queryIds: queryIds!, qrels };
    const { mean, queries } = meanOverJudged(ndcgAtK, rankings(set, 'Cosine'), qrels, 10);
    expect(queries).toBe(300);
    // MTEB lists about .645 for this model; these vectors come from bfloat16 products.
    expect(Math.abs(mean - 0.6477)).toBeLessThan(0.0005);
  });
});
