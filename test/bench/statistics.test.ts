import { expect, test } from 'vitest';
import { median, percentile } from '../../bench/statistics.js';

test.each([
  [[3], 3],
  [[4, 1], 2.5],
  [[10, 9, 2], 9],
  [[100, 9, 10, 2], 9.5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('a percentile is the smallest value that reaches the share', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile(hundred, 0)).toBe(1);
  expect(percentile(Float64Array.of(7), 0.95)).toBe(7);
});
