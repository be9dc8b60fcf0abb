import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesOf } from '../../datasets/elements.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import { openVecs, vecsBlocks } from '../../datasets/vecs-stream.js';
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
