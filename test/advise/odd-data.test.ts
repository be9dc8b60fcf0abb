import { expect, test } from 'vitest';
import { advise, lossFunnel } from '../../src/index.js';
import { gaussianRows } from '../graph/oracle.js';

const D = 32;
const codes = ({ warnings }: { warnings: readonly { code: string }[] }) =>
  warnings.map(({ code }) => code);

/** So many copies of each row. */
function repeated(rows: Float32Array, copies: number): Float32Array {
  const out = new Float32Array(rows.length * copies);
  for (let copy = 0; copy < copies; copy++) out.set(rows, copy * rows.length);
  return out;
}

test('what ties with the nearest is no miss: copies take no larger codes', async () => {
  const copies = repeated(gaussianRows(150, D, 3), 20);
  const queries = gaussianRows(200, D, 4);
  const { settings, expected, warnings } = await advise(copies, {
    ...{ dimensions: D, distance: 'Euclid', queries },
  });
  expect(settings).not.toHaveProperty('secondaryBits');
  expect(expected.recall).toBe(0.95);
  expect(codes({ warnings })).not.toContain('RECALL_OUT_OF_REACH');
  const funnel = await lossFunnel(copies, queries, { dimensions: D, gainOf: () => 1, ef: 300 });
  expect(funnel.at(-1)!.recall).toBeGreaterThan(0.9);
});

test.each([
  3000, 500,
])('%i vectors, some of them zeros, are advised on without these', async (count) => {
  const rows = gaussianRows(count, D, 5);
  for (let row = 0; row < count; row += 50) rows.fill(0, row * D, (row + 1) * D);
  const advice = await advise(rows, { dimensions: D, distance: 'Cosine' });
  expect(codes(advice)).toContain('ZERO_VECTORS');
  expect(advice.settings.distance).toBe('Cosine');
  expect(advice.expected.count).toBe(count);
});

test('vectors of zeros alone are refused for Cosine', async () => {
  const zeros = new Float32Array(3000 * D);
  await expect(advise(zeros, { dimensions: D, distance: 'Cosine' })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('with a direction (Cosine)'),
    }),
  );
});

test('says when a promise rests on few queries, or on a small part of the data', async () => {
  const rows = gaussianRows(2500, D, 6);
  const queries = gaussianRows(600, D, 7);
  const enough = await advise(rows, { dimensions: D, queries });
  expect(codes(enough)).not.toContain('SMALL_SAMPLE');
  const one = await advise(rows, { dimensions: D, queries: queries.slice(0, D) });
  expect(codes(one)).toContain('SMALL_SAMPLE');
  const far = await advise(rows, { dimensions: D, queries, count: 1_000_000 });
  expect(codes(far)).toContain('SMALL_SAMPLE');
});

test('classes that tell nothing leave the choice to clusters', async () => {
  const rows = gaussianRows(2500, D, 8).map((x, i) => x * (1 + (Math.floor(i / D) % 5)));
  for (const labels of [new Uint8Array(2500), Uint32Array.from({ length: 2500 }, (_, i) => i)]) {
    const { features, reasons } = await advise(rows, { dimensions: D, labels });
    expect(features.daviesBouldin.of).toBe('k-means');
    expect(JSON.stringify(reasons)).not.toContain('NaN');
  }
});
