import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import hnswlib, { type SpaceName } from 'hnswlib-node';
import { afterAll, describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { importHnswlib } from '../../src/graph/import-hnswlib.js';
import { gaussianRows, nearestIds, recallOf, rowOf } from './oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-import-'));
afterAll(() => rmSync(folder, { recursive: true }));

const D = 24;
const COUNT = 3000;

/** A file of hnswlib-node: row r has the label 10,000 + r; every tenth row is marked as deleted. */
function fileOf(space: SpaceName, rows: Float32Array): Uint8Array {
  const index = new hnswlib.HierarchicalNSW(space, D);
  index.initIndex({ maxElements: COUNT, m: 12, efConstruction: 60, randomSeed: 1 });
  for (let r = 0; r < COUNT; r++) index.addPoint([...rowOf(rows, D, r)], 10_000 + r);
  for (let r = 0; r < COUNT; r += 10) index.markDelete(10_000 + r);
  const path = join(folder, `${space}.bin`);
  index.writeIndexSync(path);
  return new Uint8Array(readFileSync(path));
}

const SPACES: [SpaceName, Distance][] = [
  ['l2', 'Euclid'],
  ['ip', 'Dot'],
  ['cosine', 'Cosine'],
];

describe('importHnswlib', () => {
  test.each(
    SPACES,
  )('%s: finds the same neighbours, under the same labels', async (space, distance) => {
    const rows = gaussianRows(COUNT, D, 1);
    const queries = gaussianRows(50, D, 2);
    const { index, labels } = await importHnswlib(fileOf(space, rows), { dimensions: D, distance });
    expect(labels).toHaveLength(COUNT * 0.9);
    expect(index.count).toBe(COUNT * 0.9);
    const found = await index.searchBatch(queries, 10);
    const rowIds = found.ids.map((id) => Number(labels[id]!) - 10_000);
    expect(rowIds.every((row) => row % 10 !== 0)).toBe(true);
    const living = new Map<number, Float32Array>();
    for (let r = 0; r < COUNT; r++) if (r % 10 !== 0) living.set(r, rowOf(rows, D, r));
    const ids = [...living.keys()];
    const matrix = new Float32Array(ids.length * D);
    ids.forEach((id, i) => {
      matrix.set(living.get(id)!, i * D);
    });
    const truth = nearestIds({ ids, rows: matrix }, queries, D, 10, distance);
    expect(recallOf(rowIds, truth)).toBeGreaterThan(0.95);
    await index.close();
  });

  test('takes options of build, which win over the file', async () => {
    const bytes = fileOf('l2', gaussianRows(COUNT, D, 1));
    const options = { dimensions: D, distance: 'euclid' as const, exactBelow: 10_000 };
    const { index } = await importHnswlib(bytes, options);
    expect(index.stats().mode).toBe('exact');
    const more = { dimensions: D, distance: 'euclid' as const, m: 64 };
    expect((await importHnswlib(bytes, more)).index.count).toBe(COUNT * 0.9);
  });

  test('says what is wrong: no distance, other dimensions, no bytes, damage', async () => {
    const bytes = fileOf('l2', gaussianRows(COUNT, D, 1));
    const failure = (input: unknown, options: object) =>
      importHnswlib(input as Uint8Array, options as never).catch((error) => error.code);
    expect(await failure(bytes, { dimensions: D })).toBe('INVALID_ARGUMENT');
    expect(await failure(bytes, { dimensions: 8, distance: 'dot' })).toBe('DIMENSION_MISMATCH');
    expect(await failure('x', { dimensions: D, distance: 'dot' })).toBe('INVALID_ARGUMENT');
    const cut = bytes.subarray(0, 5000);
    expect(await failure(cut, { dimensions: D, distance: 'dot' })).toBe('CORRUPT');
  });
});
