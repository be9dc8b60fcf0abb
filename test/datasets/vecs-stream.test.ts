import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../datasets/elements.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import { openVecs, type VecsType, vecsBlocks } from '../../datasets/vecs-stream.js';
import { folderWith } from './support.js';

test('gives all rows, over several blocks', async () => {
  const path = join(folderWith({}), 'a.fvecs');
  const [count, dimensions] = [3000, 130];
  const rows = Float32Array.from({ length: count * dimensions }, (_, i) => i / 3);
  writeFileSync(path, encodeFvecs(rows, dimensions));
  const file = await openVecs(path, 'fvecs');
  expect(file).toMatchObject({ count, dimensions });
  const blocks: Uint8Array[] = [];
  for await (const block of vecsBlocks(file)) blocks.push(bytesOf(block));
  expect(blocks.length).toBeGreaterThan(1);
  expect(Buffer.concat(blocks).equals(bytesOf(rows))).toBe(true);
});

test('widens bytes and integers', async () => {
  const folder = folderWith({
    'a.bvecs': Uint8Array.of(2, 0, 0, 0, 7, 255),
    'a.ivecs': Uint8Array.of(1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff),
  });
  const found: number[][] = [];
  for (const type of ['bvecs', 'ivecs'] as const) {
    const file = await openVecs(join(folder, `a.${type}`), type);
    for await (const block of vecsBlocks(file)) found.push([...block]);
  }
  expect(found).toEqual([[7, 255], [-2]]);
});

test('refuses rows of other dimensions, files cut short and empty ones', async () => {
  const folder = folderWith({
    'cut.bvecs': Uint8Array.of(2, 0, 0, 0, 7),
    'empty.bvecs': new Uint8Array(0),
    'uneven.bvecs': Uint8Array.of(2, 0, 0, 0, 7, 8, 1, 0, 0, 0, 5, 6),
  });
  for (const name of ['cut', 'empty']) {
    await expect(openVecs(join(folder, `${name}.bvecs`), 'bvecs')).rejects.toMatchObject({
      code: 'CORRUPT',
    });
  }
  const file = await openVecs(join(folder, 'uneven.bvecs'), 'bvecs');
  await expect(vecsBlocks(file).next()).rejects.toThrow(
    /at byte 6: expected 2 dimensions in row 1/,
  );
});

/** Two rows each: (1, -2), (.5, 0); (-2), (257); (1, 2, 255), (4, 5, 6). */
const GOLDEN = {
  fvecs: [2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0],
  ivecs: [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1, 1, 0, 0],
  bvecs: [3, 0, 0, 0, 1, 2, 255, 3, 0, 0, 0, 4, 5, 6],
} as const;
const ROWS = { fvecs: [1, -2, 0.5, 0], ivecs: [-2, 257], bvecs: [1, 2, 255, 4, 5, 6] } as const;

async function rowsOf(bytes: Uint8Array, type: VecsType): Promise<number[]> {
  const file = await openVecs(join(folderWith({ rows: bytes }), 'rows'), type);
  const rows: number[] = [];
  for await (const block of vecsBlocks(file)) rows.push(...block);
  return rows;
}

test.each([
  'fvecs',
  'ivecs',
  'bvecs',
] as const)('golden bytes of %s; cut off within a row they are refused, between rows it cannot be told', async (type) => {
  const bytes = Uint8Array.from(GOLDEN[type]);
  expect(await rowsOf(bytes, type)).toEqual(ROWS[type]);
  for (let length = 0; length < bytes.length; length++) {
    const cut = rowsOf(bytes.subarray(0, length), type);
    if (length === bytes.length / 2) {
      expect((await cut).length).toBe(ROWS[type].length / 2);
    } else {
      await expect(cut).rejects.toMatchObject({ code: 'CORRUPT', details: { offset: length } });
    }
  }
});

test('absurd dimensions are refused, and nothing is allocated for them', async () => {
  for (const first of [0, -1, 2 ** 31 - 1]) {
    const bytes = Uint8Array.from(GOLDEN.fvecs);
    new DataView(bytes.buffer).setInt32(0, first, true);
    await expect(rowsOf(bytes, 'fvecs')).rejects.toMatchObject({ code: 'CORRUPT' });
  }
});

test('what is encoded is read back, bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.uint32Array({ minLength: 6, maxLength: 40 }),
      async (dimensions, bits) => {
        const count = Math.floor(bits.length / dimensions);
        const rows = new Float32Array(bits.slice(0, count * dimensions).buffer);
        const path = join(folderWith({ rows: encodeFvecs(rows, dimensions) }), 'rows');
        const file = await openVecs(path, 'fvecs');
        expect(file).toMatchObject({ count, dimensions });
        const { value } = await vecsBlocks(file).next();
        expect(new Uint32Array(value!.buffer)).toEqual(new Uint32Array(rows.buffer));
      },
    ),
    { seed: 1, numRuns: 50 },
  );
});
