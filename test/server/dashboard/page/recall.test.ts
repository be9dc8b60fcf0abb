import { expect, test } from 'vitest';
import { recallOf } from '../../../../src/server/dashboard/page/recall.js';

const scored = (...pairs: [number, number][]) => pairs.map(([id, score]) => ({ id, score }));
const exact = scored([1, 0.9], [2, 0.8], [3, 0.7], [4, 0.7], [5, 0.1]);

test('recall is the share of the k best that were found', () => {
  expect(recallOf(exact.slice(0, 2), exact, 2)).toBe(1);
  expect(recallOf(scored([2, 0.8], [5, 0.1]), exact, 2)).toBe(0.5);
  expect(recallOf(scored([5, 0.1], [6, 0]), exact, 2)).toBe(0);
  expect(recallOf([], exact, 2)).toBe(0);
});

test('one as good as the k-th counts, and results beyond the k-th do not', () => {
  expect(recallOf(scored([1, 0.9], [2, 0.8], [4, 0.7]), exact, 3)).toBe(1);
  expect(recallOf(scored([5, 0.1], [1, 0.9]), exact, 1)).toBe(0);
});

test('of fewer points than k all are wanted', () => {
  expect(recallOf(exact, exact, 10)).toBe(1);
  expect(recallOf(exact.slice(0, 4), exact, 10)).toBe(0.8);
  expect(recallOf([], [], 10)).toBe(1);
});
