import { readFileSync } from 'node:fs';
import hnswlib from 'hnswlib-node';
import { describe, expect, test } from 'vitest';
import { readNpy } from '../../datasets/npy.js';
import { Random } from '../../src/base/random.js';
import { open } from '../../src/db/open.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { inFolder, run, useFolder } from './support.js';

useFolder();

const D = 8;

function randomRow(random: Random): Float32Array {
  return Float32Array.from({ length: D }, () => random.uniform() - 0.5);
}

test('leandex optimize builds the graph', async () => {
  const folder = inFolder('data');
  const random = new Random(1);
  const db = await open(folder);
  const config = { size: D, index: { exactBelow: 100 } };
  const docs = await db.createCollection('docs', { vectors: config });
  await docs.upsert(Array.from({ length: 400 }, (_, id) => ({ id, vector: randomRow(random) })));
  await db.close();
  const { out, code } = await run('optimize', folder, 'docs', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    collection: 'docs',
    after: { points: 400, indexed: 400 },
  });
  const inspected = JSON.parse((await run('inspect', folder, 'docs', '--json')).out);
  expect(inspected.vectors[''].indexed).toBe(400);
  expect((await run('optimize', folder, 'none')).code).toBe(1);
});

describe('leandex import-hnswlib', () => {
  /** An index of hnswlib-node, with one element that is marked as deleted; its rows. */
  function made(): { file: string; rows: Float32Array[] } {
    const random = new Random(2);
    const rows = Array.from({ length: 50 }, () => randomRow(random));
    const index = new hnswlib.HierarchicalNSW('l2', D);
    index.initIndex(rows.length);
    for (const [i, row] of rows.entries()) index.addPoint([...row], 100 + i);
    index.markDelete(100);
    const file = inFolder('index.bin');
    index.writeIndexSync(file);
    return { file, rows };
  }
  const how = ['--dimensions', String(D), '--space', 'l2'];

  test('into a collection: labels become ids', async () => {
    const { file, rows } = made();
    const folder = inFolder('data');
    const into = ['--into', folder, '--collection', 'docs'];
    const { out, code } = await run('import-hnswlib', file, ...how, ...into, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ count: 49, folder, collection: 'docs' });
    const db = await open(folder, { readOnly: true });
    const { points } = await (await db.collection('docs')).scroll({ limit: 99, withVector: true });
    await db.close();
    expect(points.map(({ id, vector }) => [id, vector])).toEqual(
      rows.map((row, i) => [100 + i, row]).slice(1),
    );
    expect((await run('import-hnswlib', file, ...how, ...into)).err).toMatch(/ALREADY_EXISTS/);
  });

  test('to a file: an index and its labels', async () => {
    const { file, rows } = made();
    const out = inFolder('index.leandex');
    expect((await run('import-hnswlib', file, ...how, '--out', out)).code).toBe(0);
    const index = LeanIndex.fromBytes(readFileSync(out));
    const { data: labels } = readNpy(`${out}.labels.npy`);
    for (const [i, row] of [...rows.entries()].slice(1)) {
      const { ids, scores } = index.search(row, 1);
      expect([Number(labels[ids[0]!]), scores[0]]).toEqual([100 + i, 0]);
    }
  });

  test('wrong usage', async () => {
    const { file } = made();
    const cases: [string[], number, RegExp][] = [
      [[...how], 2, /one of --out and --into, received "neither"/],
      [[...how, '--into', inFolder('data')], 2, /--collection must be given with --into/],
      [['--dimensions', '8', '--out', 'x'], 2, /--space <name>' not specified/],
      [
        ['--dimensions', '9', '--space', 'l2', '--out', inFolder('x')],
        1,
        /has 8 numbers, expected 9/,
      ],
    ];
    for (const [args, expected, message] of cases) {
      const { code, err } = await run('import-hnswlib', file, ...args);
      expect(err).toMatch(message);
      expect(code).toBe(expected);
    }
  });
});
