import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codeHash, groundTruth } from '../../bench/cache.js';
import { loadData } from '../../bench/data.js';
import { writeNpy } from '../../datasets/npy.js';
import { TINY } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-cache-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const numbers = Float32Array.from({ length: 800 }, (_, i) => Math.sin(i * i));

/** The same bytes as a corpus and queries of so many dimensions, so many of them in the corpus. */
async function dataOf(dimensions: number, inCorpus: number) {
  const path = join(folder, `${dimensions}-${inCorpus}`);
  mkdirSync(path);
  const [corpus, queries] = [numbers.subarray(0, inCorpus), numbers.subarray(inCorpus)];
  writeNpy(join(path, 'corpus.npy'), [corpus.length / dimensions, dimensions], corpus);
  writeNpy(join(path, 'queries.npy'), [queries.length / dimensions, dimensions], queries);
  const data = { kind: 'files', corpus: path } as const;
  const benchCase = { ...TINY, data, queries: 1000, queriesMost: true } as const;
  return { benchCase, data: await loadData(benchCase) };
}

test('exact neighbours in the cache are those of the same rows, not of the same bytes', async () => {
  const cache = join(folder, 'cache');
  for (const [dimensions, inCorpus] of [
    [8, 720],
    [4, 720],
    [8, 640],
  ] as const) {
    const { benchCase, data } = await dataOf(dimensions, inCorpus);
    const exact = groundTruth(benchCase, data, undefined);
    expect(groundTruth(benchCase, data, cache)).toEqual(exact);
    expect(groundTruth(benchCase, data, cache)).toEqual(exact);
  }
  expect(readdirSync(cache)).toHaveLength(6);
});

test('the hash of code is another one when a file changes, or moves to another folder', () => {
  const root = join(folder, 'dist');
  const hashWith = (file: string, text: string) => {
    rmSync(root, { recursive: true, force: true });
    for (const name of ['a', 'b']) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, file), text);
    return codeHash(['a', 'b'], root);
  };
  const hash = hashWith('a/x.js', '1');
  expect(hashWith('a/x.js', '1')).toBe(hash);
  for (const other of [hashWith('a/x.js', '2'), hashWith('b/x.js', '1'), hashWith('a/y.js', '1')]) {
    expect(other).not.toBe(hash);
  }
});
