import { expect, test } from 'vitest';
import { intrinsicDimensionality } from '../../src/graph/intrinsic-dimensionality.js';
import { gaussianRows } from './oracle.js';

test('tells few dimensions from many, whatever the numbers of a vector are', async () => {
  const lids: number[] = [];
  for (const inner of [2, 12]) {
    const rows = gaussianRows(3000, inner, 1, 0);
    const vectors = new Float32Array(3000 * 24);
    for (let r = 0; r < 3000; r++) vectors.set(rows.subarray(r * inner, (r + 1) * inner), r * 24);
    const options = { dimensions: 24, distance: 'euclid' as const, sample: 64 };
    lids.push((await intrinsicDimensionality(vectors, options)).mean);
  }
  expect(lids[0]).toBeGreaterThan(1.7);
  expect(lids[0]).toBeLessThan(2.3);
  expect(lids[1]).toBeGreaterThan(6);
  expect(lids[1]).toBeLessThan(13);
});

test('refuses what it does not know, and stops when told to', async () => {
  const rows = gaussianRows(300, 8, 1, 0);
  await expect(intrinsicDimensionality(rows, { dimensions: 8, ef: 3 } as never)).rejects.toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
  await expect(
    intrinsicDimensionality(rows, { dimensions: 8, signal: AbortSignal.abort() }),
  ).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }));
});
