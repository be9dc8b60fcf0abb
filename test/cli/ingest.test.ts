import { writeFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../datasets/npy.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import type { Database } from '../../src/db/database.js';
import { open } from '../../src/db/open.js';
import { inFolder, run, runWith, start, useFolder } from './support.js';

useFolder();

const lines = (records: readonly object[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** Looks at what was written, by the library. */
async function look<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const db = await open(inFolder('data'), { readOnly: true });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** All points of a collection, with vectors. */
const stored = (name: string) =>
  look(
    async (db) =>
      (await (await db.collection(name)).scroll({ limit: 10_000, withVector: true })).points,
  );

describe('leandex ingest', () => {
  test('jsonl: makes the collection, keeps ids and payloads, indexes', async () => {
    const points = Array.from({ length: 1200 }, (_, i) => ({
      id: i,
      vector: [i, 1, i / 3],
      payload: { n: i, text: `word${i % 3}` },
    }));
    const file = inFolder('points.jsonl');
    writeFileSync(file, lines(points));
    const flags = ['--distance', 'Euclid', '--payload-index', 'n:integer', '--text-index', 'text'];
    const { code, out, err } = await run(
      'ingest',
      inFolder('data'),
      'docs',
      file,
      ...flags,
      '--json',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual({
      collection: 'docs',
      written: 1200,
      points: 1200,
      isNew: true,
    });
    expect(await stored('docs')).toEqual(
      points.map((point) => ({ ...point, vector: Float32Array.from(point.vector) })),
    );
    const info = await look(async (db) => (await db.collection('docs')).info());
    expect(info.vectors['']).toMatchObject({ size: 3, distance: 'Euclid' });
    expect(Object.keys(info.payloadIndexes)).toEqual(['n']);
    expect(Object.keys(info.textIndexes)).toEqual(['text']);
  });

  test('standard input, ids of 64 bits, fields of other names, replacing', async () => {
    const folder = inFolder('data');
    const text = '{"key":18446744073709551615,"v":[1,2],"lang":"en"}\n{"key":"b","v":[3,4]}';
    const flags = ['--id', 'key', '--vector', 'v'];
    expect(await runWith(text, 'ingest', folder, 'docs', '-', ...flags)).toMatchObject({ code: 0 });
    await runWith('{"key":"b","v":[5,6],"lang":"de"}\r\n', 'ingest', folder, 'docs', '-', ...flags);
    expect(await stored('docs')).toEqual([
      { id: 2n ** 64n - 1n, vector: Float32Array.of(1, 2), payload: { lang: 'en' } },
      { id: 'b', vector: Float32Array.of(5, 6), payload: { lang: 'de' } },
    ]);
  });

  test('several vectors by name, sparse ones, and several as one', async () => {
    const vectors = {
      a: [1, 2],
      words: { indices: [3], values: [0.5] },
      tokens: [
        [1, 0],
        [0, 1],
      ],
    };
    const { code } = await runWith(
      lines([{ id: 1, vectors }]),
      'ingest',
      inFolder('data'),
      'docs',
      '-',
    );
    expect(code).toBe(0);
    const [point] = await stored('docs');
    expect(point!.vector).toEqual({
      a: Float32Array.of(1, 2),
      words: { indices: Uint32Array.of(3), values: Float32Array.of(0.5) },
      tokens: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
    });
  });

  test('npy and fvecs: rows are numbered', async () => {
    const rows = Float32Array.from({ length: 700 * 4 }, (_, i) => i + 1);
    writeNpy(inFolder('a.npy'), [700, 4], rows);
    writeFileSync(inFolder('a.fvecs'), encodeFvecs(rows, 4));
    const folder = inFolder('data');
    await run('ingest', folder, 'one', inFolder('a.npy'), '--using', 'image');
    await run('ingest', folder, 'two', inFolder('a.fvecs'), '--first-id', '1000');
    const [one, two] = [await stored('one'), await stored('two')];
    const expected = Array.from({ length: 700 }, (_, i) => rows.slice(4 * i, 4 * i + 4));
    expect(one.map(({ id }) => id)).toEqual(expected.map((_, i) => i));
    expect(one.map(({ vector }) => vector)).toEqual(expected.map((image) => ({ image })));
    expect(two.map(({ id }) => id)).toEqual(expected.map((_, i) => 1000 + i));
    expect(two.map(({ vector }) => vector)).toEqual(expected);
  });

  test.each(['SNAPPY', 'UNCOMPRESSED', 'GZIP'] as const)('Parquet, %s', async (codec) => {
    const { gzipSync } = await import('node:zlib');
    const count = 25;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'doc_id', data: numbers.map((i) => BigInt(i)), type: 'INT64' },
        { name: 'embedding', data: numbers.map((i) => [i + 0.5, -1]) },
        { name: 'title', data: numbers.map((i) => `title ${i}`), type: 'STRING' },
        { name: 'year', data: numbers.map((i) => 2000 + i), type: 'INT32' },
      ],
      codec,
      compressors: { GZIP: (given: Uint8Array) => gzipSync(given) },
      rowGroupSize: 10,
    });
    writeFileSync(inFolder('a.parquet'), new Uint8Array(bytes));
    const flags = ['--id', 'doc_id', '--vector', 'embedding'];
    const { code, err } = await run(
      'ingest',
      inFolder('data'),
      'docs',
      inFolder('a.parquet'),
      ...flags,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await stored('docs')).toEqual(
      numbers.map((i) => ({
        id: i,
        vector: Float32Array.of(i + 0.5, -1),
        payload: { title: `title ${i}`, year: 2000 + i },
      })),
    );
  });

  test('of points with the same id the last one stays, near or far', async () => {
    const points = Array.from({ length: 1100 }, (_, i) => ({ id: i % 600, vector: [i, 1] }));
    points.push({ id: 7, vector: [-1, 1] }, { id: 7, vector: [-2, 1] });
    const args = ['ingest', inFolder('data'), 'docs', '-', '--json'];
    const { out } = await runWith(lines(points), ...args);
    expect(JSON.parse(out)).toMatchObject({ written: 1102, points: 600 });
    const last = new Map(points.map(({ id, vector }) => [id, Float32Array.from(vector)]));
    const found = (await stored('docs')).map(({ id, vector }) => [id, vector]);
    expect(found).toEqual([...last].sort(([a], [b]) => a - b));
  });

  const good = { id: 1, vector: [1, 2] };
  test.each<[string, string, RegExp]>([
    ['no JSON', '{"id":1,', /stdin:2: expected a JSON object in one line/],
    ['no id', '{"vector":[1,2]}', /stdin:2: there is no field "id"/],
    ['a wrong id', '{"id":-1,"vector":[1,2]}', /stdin:2: id must be a safe integer from 0/],
    [
      'another length',
      '{"id":2,"vector":[1,2,3]}',
      /stdin:2: vector has 3 numbers, expected 2 \(DIMENSION_MISMATCH\)/,
    ],
  ])('%s: the error names the line, and exits with 1', async (_, line, message) => {
    const input = `${JSON.stringify(good)}\n${line}\n${JSON.stringify({ ...good, id: 9 })}\n`;
    const { code, err } = await runWith(input, 'ingest', inFolder('data'), 'docs', '-');
    expect(err).toMatch(message);
    expect(err).toMatch(/the first 0 points have been written and stay/);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
    // Nor is there a collection without points.
    expect(await look((db) => db.listCollections())).toEqual([]);
  });

  test('Parquet files that are damaged, none, or have a wrong row', async () => {
    const columnData = [
      { name: 'id', data: ['a', 'b', 'c'], type: 'STRING' as const },
      { name: 'vector', data: [[1, 2], [3], [5, 6]] },
    ];
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData }));
    const cases: [Uint8Array, RegExp][] = [
      [bytes, /a\.parquet, row 1: vector has 1 numbers, expected 2 \(DIMENSION_MISMATCH\)/],
      [bytes.subarray(0, -9), /expected a Parquet file, received .*\(CORRUPT\)/],
      [bytes.slice().fill(255, 10, 60), /rows 0 to 2 of .*a\.parquet cannot be read.*\(CORRUPT\)/],
    ];
    for (const [given, message] of cases) {
      writeFileSync(inFolder('a.parquet'), given);
      const { code, err } = await run('ingest', inFolder('data'), 'docs', inFolder('a.parquet'));
      expect(err).toMatch(message);
      expect(err).not.toMatch(/\n\s+at /);
      expect(code).toBe(1);
    }
  });

  test('what is wrong behind the first batch leaves the first there', async () => {
    const points = Array.from({ length: 900 }, (_, id) => ({ id, vector: [id, 1] }));
    const input = lines([...points, { id: 900, vector: [1] }]);
    const { code, err } = await runWith(input, 'ingest', inFolder('data'), 'docs', '-');
    expect(code).toBe(1);
    expect(err).toMatch(/stdin:901: vector has 1 numbers, expected 2/);
    expect((await stored('docs')).map(({ id }) => id)).toEqual(
      points.slice(0, 500).map(({ id }) => id),
    );
  });

  test('wrong usage is refused', async () => {
    const folder = inFolder('data');
    await runWith(lines([good]), 'ingest', folder, 'docs', '-');
    const cases: [string[], number, RegExp][] = [
      [['docs', '-', '--distance', 'Dot'], 2, /--distance must be left out/],
      [['new', '-', '--distance', 'far'], 2, /Allowed choices are Cosine/],
      [['docs', 'a.txt'], 2, /the ending of a.txt must be .*, or --format given, received "txt"/],
      [['docs', 'none.jsonl'], 1, /there is no file/],
      [['docs', '-', '--format', 'npy'], 2, /must be jsonl/],
      [['docs', '-', '--payload-index', 'a:tree'], 2, /tree/],
    ];
    for (const [args, expected, message] of cases) {
      const { code, err } = await runWith(lines([good]), 'ingest', folder, ...args);
      expect(err).toMatch(message);
      expect(code).toBe(expected);
    }
  });

  test('SIGINT while more is waited for: exit code 130, and what was written stays', async () => {
    const { child, ended } = start(['ingest', inFolder('data'), 'docs', '-']);
    child.stdin.write(lines(Array.from({ length: 600 }, (_, id) => ({ id, vector: [id, 1] }))));
    const count = () =>
      look(async (db) => (await db.collection('docs')).count()).catch(() => undefined);
    await expect.poll(count, { timeout: 20_000 }).toBe(500);
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect(err).toMatch(/leandex: cancelled/);
    expect(code).toBe(130);
    expect(await count()).toBe(500);
  });
});
