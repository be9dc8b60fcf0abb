import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeNpy } from '../../datasets/npy.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import { createBodyOf } from '../../src/cli/advise.js';
import { readCreate } from '../../src/server/qdrant/collection-config.js';
import { requireFreshBuild } from '../bench/compiled.js';
import { folderWith } from '../datasets/support.js';
import { gaussianRows } from '../graph/oracle.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const run = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args]);

beforeAll(requireFreshBuild);

test('the body for HTTP makes a collection of the same settings', () => {
  const codes = { primaryBits: 7, primaryDimensions: 8, secondaryBits: 32, seed: 3 } as const;
  const index = { ...codes, order: 'lid-asc', preset: 'default', m: 32 } as const;
  const body = createBodyOf({ dimensions: 8, distance: 'Euclid', ...index });
  expect(readCreate(body)).toMatchObject({ vectors: { size: 8, distance: 'Euclid', index } });
});

describe('leandex advise', () => {
  const corpus = encodeNpy([600, 8], gaussianRows(600, 8, 1));
  const queries = encodeNpy([40, 8], gaussianRows(40, 8, 2));

  test('--json prints one object, of a folder and of a file', async () => {
    const folder = folderWith({ 'corpus.npy': corpus, 'queries.npy': queries });
    const { stdout } = await run('advise', folder, '--json', '--distance', 'euclid');
    const advice = JSON.parse(stdout);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(advice.settings).toEqual({ dimensions: 8, distance: 'Euclid' });
    expect(advice.features.queryShift.nearest).toBeGreaterThan(0);
    const file = await run('advise', join(folder, 'corpus.npy'), '--json');
    expect(JSON.parse(file.stdout).features.queryShift).toBeUndefined();
  });

  test('prints what to call, what to expect, reasons and warnings', async () => {
    const folder = folderWith({ 'rows.npy': corpus });
    const args = ['--distance', 'dot', '--count', '3000', '--recall', '.9', '--k', '5'];
    const { stdout } = await run('advise', join(folder, 'rows.npy'), ...args);
    expect(stdout).toMatch(/^In memory\n {2}LeanIndex\.build\(vectors, \{.*"distance":"Dot"/);
    expect(stdout).toMatch(/createCollection\(name, \{"vectors":\{"size":8,"distance":"Dot"/);
    expect(stdout).toMatch(/search\(query, 5, \{"ef":\d+\}\)/);
    expect(stdout).toMatch(/Expected of 3,000 vectors: recall@5 0\.9\d\d, \d+ bytes a vector/);
    expect(stdout).toMatch(/\n {2}distance: Dot: as given\n/);
    expect(stdout).toMatch(/\n {2}LENGTHS_DECIDE: /);
  });

  test('reads other files too, and the class of each vector', async () => {
    const folder = folderWith({
      'rows.fvecs': encodeFvecs(gaussianRows(600, 8, 1), 8),
      'labels.txt': Array.from({ length: 600 }, (_, row) => `class ${row % 3}`).join('\n'),
      'few.txt': 'a\nb\n',
    });
    const file = join(folder, 'rows.fvecs');
    const { stdout } = await run('advise', file, '--json', '--labels', join(folder, 'labels.txt'));
    expect(JSON.parse(stdout).features.daviesBouldin).toMatchObject({ of: 'labels', clusters: 3 });
    await expect(run('advise', file, '--labels', join(folder, 'few.txt'))).rejects.toMatchObject({
      stderr: expect.stringMatching(/labels has 2 numbers, expected 600 .DIMENSION_MISMATCH/),
    });
  });

  test('says what is wrong', async () => {
    const folder = folderWith({ 'rows.npy': corpus });
    const file = join(folder, 'rows.npy');
    await expect(run('advise', join(folder, 'none.npy'))).rejects.toMatchObject({
      stderr: expect.stringContaining('NOT_FOUND'),
    });
    await expect(run('advise', file, '--distance', 'l1')).rejects.toMatchObject({
      stderr: expect.stringMatching(/distance must be .*INVALID_ARGUMENT/),
    });
    for (const [name, content, said] of [
      ['cut.npy', corpus.subarray(0, 1000), /cut\.npy at byte .*expected .*CORRUPT/],
      ['what.txt', 'text', /what\.txt: expected \.npy, .*received "\.txt".*UNSUPPORTED/],
      ['no.parquet', 'text', /no\.parquet at byte 0: expected a Parquet file.*CORRUPT/],
    ] as const) {
      const path = join(folderWith({ [name]: content }), name);
      await expect(run('advise', path)).rejects.toMatchObject({
        stderr: expect.stringMatching(said),
      });
    }
    await expect(run('advise', file, '--recall', 'much')).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /--recall.* must be a number from 0.5 to 0.999, received "much"/,
      ),
    });
  });
});
