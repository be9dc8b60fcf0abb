import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import {
  type GainOf,
  idealGains as idealSteps,
  labelGains,
  taskScores,
} from '../../src/eval/labels.js';
import { NO_ID, recallAtK } from '../../src/eval/metrics.js';
import { coefficientOfVariation, normsOf } from '../../src/eval/norms.js';

const idealGains = (gainOf: GainOf, queries: number, count: number, k: number) =>
  drain(idealSteps(gainOf, queries, count, k));

describe('taskScores', () => {
  const gains = labelGains([1, 1, 2, 2, 2, 3], [1, 2, 9]);
  const ideal = idealGains(gains, 3, 6, 3);

  test('golden: three queries, of labels with 2, 3 and no rows', () => {
    expect([...ideal]).toEqual([2, 3, 0]);
    const found = Uint32Array.of(0, 5, 2, /**/ 2, 3, 4, /**/ 0, 1, 2);
    const { labelRecall, hit, matching } = taskScores(found, 3, gains, ideal);
    expect(labelRecall).toBeCloseTo((1 / 3 + 1 + 0) / 3, 10);
    expect(hit).toBeCloseTo(2 / 3, 10);
    expect(matching).toBeCloseTo((1 / 2 + 1) / 2, 10);
  });

  test('counts an id once, and none for what was not found', () => {
    const found = Uint32Array.of(0, 0, 0, /**/ 2, NO_ID, NO_ID, /**/ NO_ID, NO_ID, NO_ID);
    const { labelRecall, hit } = taskScores(found, 3, gains, ideal);
    expect(labelRecall).toBeCloseTo(2 / 9, 10);
    expect(hit).toBeCloseTo(2 / 3, 10);
  });

  test('graded gains: matching is the share of the best sum', () => {
    const graded = (_: number, id: number) => [3, 2, 1, 0][id];
    const best = idealGains(graded, 1, 4, 2);
    expect([...best]).toEqual([5]);
    expect(taskScores(Uint32Array.of(2, 0), 2, graded, best).matching).toBeCloseTo(4 / 5, 10);
  });

  test('lies between 0 and 1, and a ranking of the best has all', () => {
    const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(labels, fc.integer({ min: 1, max: 4 }), (rows, k) => {
        const of = labelGains(rows, [rows[0]]);
        const most = idealGains(of, 1, rows.length, k);
        const ranked = [...rows.keys()].sort((a, b) => of(0, b) - of(0, a)).slice(0, k);
        const best = taskScores(Uint32Array.from(ranked), k, of, most);
        expect(best.matching).toBeCloseTo(1, 10);
        expect(best.hit).toBe(1);
        expect(best.labelRecall).toBeCloseTo(most[0] / k, 10);
      }),
      { seed: 3 },
    );
  });
});

// What Iceberg saw with EVA02: perfect by the metric, useless by the label.
test('synthetic recall and label recall can disagree, and the norms tell', () => {
  const D = 4;
  const rows: number[] = [];
  const labels: number[] = [];
  for (let i = 0; i < 40; i++) {
    const isLong = i % 2 === 0;
    // Class 1 is long and off the query's direction, class 0 short and along it.
    rows.push(...(isLong ? [3, 3 + i / 100, 0, 0] : [1, i / 1000, 0, 0]));
    labels.push(isLong ? 1 : 0);
  }
  const corpus = Float32Array.from(rows);
  const queries = Float32Array.of(1, 0, 0, 0);
  const k = 10;
  const gains = labelGains(labels, [0]);
  const ideal = idealGains(gains, 1, 40, k);
  const byDot = exactNeighbours(corpus, queries, D, k, 'Dot');
  const byCosine = exactNeighbours(corpus, queries, D, k, 'Cosine');
  expect(recallAtK(byDot.ids, byDot, k)).toBe(1);
  expect(taskScores(byDot.ids, k, gains, ideal).labelRecall).toBe(0);
  expect(taskScores(byCosine.ids, k, gains, ideal).labelRecall).toBe(1);
  expect(coefficientOfVariation(normsOf(corpus, D))).toBeGreaterThan(0.1);
});
