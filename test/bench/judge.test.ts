import { expect, test } from 'vitest';
import { funnelOf } from '../../bench/funnel.js';
import { judge } from '../../bench/judge.js';
import type { CaseResult } from '../../bench/result.js';
import { NO_ID } from '../../src/eval/metrics.js';

test('rankings of row numbers are judged by the ids of the rows', () => {
  const judgements = {
    corpusIds: ['a', 'b', 'c', 'd'],
    queryIds: ['q1', 'q2'],
    qrels: new Map([
      ['q1', new Map([['b', 2]])],
      [
        'q2',
        new Map([
          ['a', 1],
          ['c', 1],
        ]),
      ],
      ['not asked', new Map([['a', 1]])],
    ]),
  };
  const ids = Uint32Array.from([0, 1, NO_ID, 2, 3, NO_ID]);
  const { ndcgAt10, recallAt100, mrrAt10 } = judge(ids, 3, judgements);
  // q1: b at rank 2 of one relevant; q2: c at rank 1 of two relevant.
  expect(ndcgAt10).toBeCloseTo((1 / Math.log2(3) + 1 / (1 + 1 / Math.log2(3))) / 2, 12);
  expect(recallAt100).toBeCloseTo((1 + 0.5) / 2, 12);
  expect(mrrAt10).toBeCloseTo((0.5 + 1) / 2, 12);
});

test('the funnel begins with the best distance, and its losses add up to what is missing', () => {
  const scores = (ndcgAt10: number) => ({ ndcgAt10, recallAt100: 1, mrrAt10: 1 });
  const contender = (name: string, low: number, high: number) => ({
    name,
    points: [
      { ef: 100, task: scores(low) },
      { ef: 200, task: scores(high) },
    ],
  });
  const result = {
    distance: 'Dot',
    exact: { Cosine: scores(0.8), Dot: scores(0.6), Euclid: scores(0.7) },
    contenders: [contender('leandex', 0.3, 0.5), contender('leandex originals', 0.4, 0.55)],
  } as unknown as CaseResult;
  const funnel = funnelOf(result, 150);
  expect(funnel.map(({ stage }) => stage)).toEqual(['embedding', 'metric', 'index', 'compression']);
  expect(funnel.map(({ ndcgAt10 }) => ndcgAt10)).toEqual([0.8, 0.6, 0.55, 0.5]);
  expect(funnel[0]!.by).toContain('Cosine');
  const lost = funnel.reduce((sum, stage) => sum + stage.lost, 0);
  expect(lost).toBeCloseTo(1 - 0.5, 12);
  // A stage that nobody measured is left out, and one without judgements has none.
  const { exact: _, ...unjudged } = result;
  expect(funnelOf(unjudged as CaseResult, 150)).toEqual([]);
  expect(funnelOf({ ...result, contenders: [] } as unknown as CaseResult, 150)).toHaveLength(2);
});
