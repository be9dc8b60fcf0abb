import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import type { CollectionFile } from '../../src/store/collection-file.js';
import { scan, scores } from '../../src/store/exact-scores.js';
import { checkBatch, checkFields } from '../../src/store/limits.js';
import { read, readVectors } from '../../src/store/point-reads.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { vectorChecksum } from '../../src/store/row-checksum.js';
import type { Originals, PointBatch, StoredField } from '../../src/store/types.js';
import { decodeVectors, encodeVectors, vectorBytes } from '../../src/store/vector-codec.js';
import { verify } from '../../src/store/verify.js';
import { codeOf, memoryCollection, write } from './support.js';

const SIZE = 3;
const fieldOf = (originals: Originals = 'float32'): StoredField => ({
  name: 'tokens',
  size: SIZE,
  originals,
  multi: true,
});

/** Points 0 … n − 1 with 1 … 5 vectors each. */
function batchOf(n: number, seed = 1): { batch: PointBatch; points: number[][][] } {
  const random = new Random(seed);
  const row = () => Array.from({ length: SIZE }, () => Math.fround(random.gaussian()));
  const points = Array.from({ length: n }, () =>
    Array.from({ length: 1 + random.below(5) }, () => row()),
  );
  let end = 0;
  const ends = points.map(({ length }) => {
    end += length;
    return end;
  });
  const vectors = Float32Array.from(points.flat(2));
  const columns = [{ field: 0, vectors, offsets: Uint32Array.of(0, ...ends) }];
  const ids = points.map((_, i) => i);
  return { batch: { ids, payloads: ids.map(() => null), columns }, points };
}

function collection(n: number): { file: CollectionFile; points: number[][][] } {
  const file = memoryCollection([fieldOf()]);
  const { batch, points } = batchOf(n);
  write(file, () => upsert(file, batch));
  return { file, points };
}

test.each<Originals>([
  'float32',
  'float16',
  'none',
])('several vectors lie one behind the other, each as it would by itself: %s', (originals) => {
  const { points } = batchOf(20);
  for (const point of points) {
    const data = encodeVectors(fieldOf(originals), Float32Array.from(point.flat()));
    const alone = point.map((one) => encodeVectors(fieldOf(originals), Float32Array.from(one)));
    expect(Buffer.from(data)).toEqual(Buffer.concat(alone));
    expect(data.length).toBe(point.length * vectorBytes(fieldOf(originals)));
    const decoded = new Float32Array(point.length * SIZE);
    decodeVectors(fieldOf(originals), data, decoded);
    alone.forEach((bytes, i) => {
      const one = new Float32Array(SIZE);
      decodeVectors(fieldOf(originals), bytes, one);
      expect(decoded.subarray(i * SIZE, (i + 1) * SIZE)).toEqual(one);
    });
  }
});

describe('readVectors', () => {
  test('gives those that are there, with where those of each row begin', () => {
    const { file, points } = collection(9);
    write(file, () => remove(file, { ids: [0, 4] }));
    const wanted = Uint32Array.of(8, 4, 1, 77, 2);
    const { rows, vectors, offsets, rest } = drain(readVectors(file, 0, wanted));
    expect([...rows]).toEqual([1, 2, 8]);
    expect([...rest]).toEqual([]);
    const [a, b, c] = [1, 2, 8].map((row) => points[row]!) as [number[][], number[][], number[][]];
    expect([...offsets!]).toEqual([
      0,
      a.length,
      a.length + b.length,
      a.length + b.length + c.length,
    ]);
    expect([...vectors]).toEqual([a, b, c].flat(2));
    expect(vectors.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('gives megabytes in parts, one row at least in each', () => {
    const size = 4096;
    const file = memoryCollection([{ ...fieldOf(), size }]);
    const counts = [600, 1, 1000, 1100, 20, 3];
    for (const [i, count] of counts.entries()) {
      const vectors = new Float32Array(count * size).fill(i);
      const columns = [{ field: 0, vectors, offsets: Uint32Array.of(0, count) }];
      write(file, () => upsert(file, { ids: [i], payloads: [null], columns }));
    }
    const parts: number[][] = [];
    for (let rest = Uint32Array.of(5, 4, 3, 2, 1, 0); rest.length > 0; ) {
      const found = drain(readVectors(file, 0, rest));
      parts.push([...found.rows]);
      found.rows.forEach((row, i) => {
        const [from, to] = [found.offsets![i]!, found.offsets![i + 1]!];
        expect(to - from).toBe(counts[row]);
        expect(found.vectors[from * size]).toBe(row);
        expect(found.vectors[to * size - 1]).toBe(row);
      });
      rest = found.rest as Uint32Array<ArrayBuffer>;
    }
    expect(parts).toEqual([[0, 1], [2], [3], [4, 5]]);
  });
});

describe('exact scores are MaxSim', () => {
  const { file, points } = collection(700);
  const query = [
    [1, 2, -1],
    [0.5, 0, 3],
  ];
  const flat = Float32Array.from(query.flat());
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

  test.each(['Cosine', 'Dot'] as const)('%s', (distance) => {
    const similarity = (a: number[], b: number[]) =>
      distance === 'Dot' ? dot(a, b) : dot(a, b) / Math.hypot(...a) / Math.hypot(...b);
    const expected = points.map((point) =>
      query.reduce((sum, q) => sum + Math.max(...point.map((one) => similarity(q, one))), 0),
    );
    const best = [...expected.keys()].sort((a, b) => expected[b]! - expected[a]! || a - b);
    for (const rows of [undefined, Uint32Array.from(best).sort()]) {
      const found = drain(scan(file, 0, flat, distance, 50, rows));
      expect([...found.rows]).toEqual(best.slice(0, 50));
      found.scores.forEach((score, i) => {
        expect(score).toBeCloseTo(expected[best[i]!]!, 9);
      });
      expect(found.gone).toBe(0);
    }
    const some = drain(scores(file, 0, flat, distance, Uint32Array.of(3, 9999, 5)));
    expect([...some]).toEqual([
      expect.closeTo(expected[3]!, 9),
      NaN,
      expect.closeTo(expected[5]!, 9),
    ]);
  });
});

describe('a batch is refused', () => {
  const { batch } = batchOf(3);
  const [column] = batch.columns;
  test.each([
    ['without offsets', { offsets: undefined }],
    ['with too few offsets', { offsets: column!.offsets!.slice(0, -1) }],
    ['with a point without vectors', { offsets: Uint32Array.of(0, 1, 1, 2) }],
    ['with offsets that fall', { offsets: Uint32Array.of(0, 2, 1, 3) }],
    ['with offsets that do not begin at 0', { offsets: Uint32Array.of(1, 2, 3, 4) }],
    ['with other vectors than offsets', { vectors: column!.vectors.slice(1) }],
  ])('%s', (_, change) => {
    const columns = [{ ...column!, ...change }] as PointBatch['columns'];
    const code = codeOf(() => checkBatch([fieldOf()], { ...batch, columns }));
    expect(['INVALID_ARGUMENT', 'DIMENSION_MISMATCH']).toContain(code);
    expect(codeOf(() => checkBatch([fieldOf()], batch))).toBeUndefined();
  });

  test('with offsets in a field of one vector', () => {
    const single = { name: 'a', size: SIZE, originals: 'float32' } as const;
    expect(codeOf(() => checkBatch([single], batch))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => checkFields([{ ...single, multi: 1 as never }]))).toBe('INVALID_ARGUMENT');
  });
});

test.each([
  ['of no length', 0],
  ['that end within a vector', 4 * SIZE + 4],
])('stored vectors %s are damage, whatever their checksum says', (_, byteLength) => {
  const { file } = collection(4);
  const data = Buffer.alloc(byteLength, 1);
  const sql = 'UPDATE vectors_0 SET data = ?, checksum = ? WHERE row = 2';
  file.db.prepare(sql).run(data, vectorChecksum(2, 0, data));
  expect(codeOf(() => drain(verify(file)))).toBe('CORRUPT');
  expect(codeOf(() => read(file, { ids: [2] }, { payload: false, fields: [0] }))).toBe('CORRUPT');
  expect(codeOf(() => drain(readVectors(file, 0, Uint32Array.of(1, 2))))).toBe('CORRUPT');
});
