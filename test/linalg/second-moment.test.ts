import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { covariance } from '../../src/linalg/moments.js';
import { secondMoment } from '../../src/linalg/second-moment.js';
import { trace } from '../../src/linalg/trace.js';

const random = new Random(1);
const d = 5;
const rows = Float32Array.from({ length: 40 * d }, (_, i) => random.gaussian() + (i % d));
const moments = covariance(new Kernels(), rows, d);

test.each([
  ['the origin', undefined],
  ['a point', Float64Array.of(1, -2, 0, 0.5, 3)],
])('the second moment about %s is the mean of outer products', (_, about) => {
  const found = secondMoment(moments, about);
  const expected = new Float64Array(d * d);
  for (let r = 0; r < 40; r++) {
    for (let i = 0; i < d; i++) {
      const x = rows[r * d + i]! - (about?.[i] ?? 0);
      for (let j = 0; j < d; j++) {
        expected[i * d + j]! += (x * (rows[r * d + j]! - (about?.[j] ?? 0))) / 40;
      }
    }
  }
  for (let i = 0; i < d * d; i++) expect(found[i]).toBeCloseTo(expected[i]!, 5);
  let diagonal = 0;
  for (let i = 0; i < d; i++) diagonal += found[i * d + i]!;
  expect(trace(found, d)).toBeCloseTo(diagonal, 12);
});

test('about the mean it is the covariance', () => {
  expect(secondMoment(moments, moments.mean)).toEqual(moments.covariance);
  expect(() => secondMoment(moments, new Float64Array(4))).toThrow(/expected 5/);
});
