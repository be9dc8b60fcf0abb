import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../datasets/elements.js';
import { encodeNpy, parseNpy, toFloat32, writeNpy } from '../../datasets/npy.js';
import { npyBlocks, openNpy } from '../../datasets/npy-stream.js';
import { folderWith } from './support.js';

describe('npyBlocks', () => {
  test('gives what the whole file has, in blocks of whole rows', async () => {
    const path = join(folderWith({}), 'a.npy');
    const [rows, width] = [1500, 300];
    const data = Float32Array.from({ length: rows * width }, (_, i) => i / 7);
    writeNpy(path, [rows, width], data);
    const file = await openNpy(path);
    expect(file.shape).toEqual([rows, width]);
    await fc.assert(
      fc.asyncProperty(fc.nat(rows), fc.nat(rows), async (a, b) => {
        const [from, to] = [Math.min(a, b) * width, Math.max(a, b) * width];
        const found: Uint8Array[] = [];
        for await (const block of npyBlocks(file, from, to, width)) {
          expect(block.length % width).toBe(0);
          found.push(bytesOf(block));
        }
        expect(Buffer.concat(found).equals(bytesOf(data.subarray(from, to)))).toBe(true);
      }),
      { numRuns: 10, seed: 8 },
    );
  });

  test.each([
    Int8Array.of(-1, 2),
    Float64Array.of(0.1, 2),
    BigInt64Array.of(3n, -4n),
  ])('widens as the whole file is widened: %o', async (data) => {
    const path = join(folderWith({}), 'a.npy');
    writeNpy(path, [2], data);
    const blocks: Float32Array[] = [];
    for await (const block of npyBlocks(await openNpy(path), 0, 2, 1)) blocks.push(block);
    expect(blocks).toEqual([toFloat32(parseNpy(encodeNpy([2], data), path))]);
  });

  test('refuses files that are missing, cut short or something else', async () => {
    const folder = folderWith({});
    const bytes = encodeNpy([2, 2], new Float32Array(4));
    writeFileSync(join(folder, 'short.npy'), bytes.subarray(0, -1));
    writeFileSync(join(folder, 'other.npy'), 'text');
    await expect(openNpy(join(folder, 'none.npy'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(openNpy(join(folder, 'short.npy'))).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(openNpy(join(folder, 'other.npy'))).rejects.toMatchObject({ code: 'CORRUPT' });
  });
});
