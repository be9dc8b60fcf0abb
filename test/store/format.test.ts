import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mix32 } from '../../src/base/random.js';
import { createCatalog } from '../../src/store/catalog-file.js';
import { list } from '../../src/store/point-reads.js';
import { upsert } from '../../src/store/point-writes.js';
import { memoryCollection, write } from './support.js';

/** docs/format.md, "The store": what a later version has to read. */
const ID = '00112233-4455-6677-8899-aabbccddeeff';

function collection() {
  const file = memoryCollection([
    { name: 'a', size: 2, originals: 'float32' },
    { name: 'b', size: 2, originals: 'float16' },
    { name: 'c', size: 2, originals: 'none' },
  ]);
  const columns = [
    { field: 0, vectors: Float32Array.of(1, -2) },
    { field: 1, vectors: Float32Array.of(1, -2), at: Uint32Array.of(0) },
    { field: 2, vectors: Float32Array.of(-2, 1), at: Uint32Array.of(0) },
  ];
  const batch = { ids: [2 ** 40 + 7, ID, 'é'], payloads: ['{"a":1}', null, '{}'] };
  write(file, () => upsert(file, { ...batch, columns: [] }));
  const vectors = Float32Array.of(1, -2, 3, 4, 5, 6);
  write(file, () =>
    upsert(file, { ...batch, columns: [{ field: 0, vectors }, ...columns.slice(1)] }),
  );
  return file;
}

const word = (value: number, bytes = 4) => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeDoubleLE(value);
  else buffer.writeUInt32LE(value);
  return buffer;
};
const placed = (crc: number, table: number, row: number) =>
  (crc ^ mix32((mix32(row) + table) % 2 ** 32)) >>> 0;

describe('rows lie in the tables as docs/format.md says', () => {
  const { db } = collection();
  const rowsOf = (sql: string) => db.prepare(sql).raw().all();
  const key = (hex: string) => Buffer.from(hex, 'hex');
  const keys = [
    key('010000010000000007'),
    key('0200112233445566778899aabbccddeeff'),
    key('03c3a9'),
  ];
  const pointChecksums = keys.map((one, i) => {
    const content = Buffer.concat([word(2, 8), word([15, 2, 3][i]!), one]);
    return placed(crc32(content), 1, 3 + i);
  });

  test('points', () => {
    expect(rowsOf('SELECT row, key, version, parts, checksum FROM points ORDER BY row')).toEqual([
      [3, keys[0], 2, 15, pointChecksums[0]],
      [4, keys[1], 2, 2, pointChecksums[1]],
      [5, keys[2], 2, 3, pointChecksums[2]],
    ]);
  });

  test('payloads', () => {
    const checksum = (json: string, row: number) =>
      placed((crc32(json) ^ mix32(2) ^ mix32(1)) >>> 0, 2, row);
    expect(rowsOf('SELECT row, json, checksum FROM payloads ORDER BY row')).toEqual([
      [3, '{"a":1}', checksum('{"a":1}', 3)],
      [5, '{}', checksum('{}', 5)],
    ]);
  });

  test.each([
    [0, '0000803f000000c0'],
    [1, '003c00c0'],
    [2, '000000c0c1c0403c00ff'],
  ])('vectors of field %i', (field, hex) => {
    const data = Buffer.from(hex, 'hex');
    expect(rowsOf(`SELECT row, data, checksum FROM vectors_${field} WHERE row = 3`)).toEqual([
      [3, data, placed(crc32(data), 3 + field, 3)],
    ]);
  });

  test('counters', () => {
    const digest = pointChecksums.reduce((sum, one) => sum + one);
    const value = `{"count":3,"nextRow":6,"version":2,"digest":${digest}}`;
    expect(rowsOf("SELECT value, checksum FROM meta WHERE name = 'state'")).toEqual([
      [value, crc32(JSON.stringify(['state', value]))],
    ]);
  });
});

test('what the files say they are', () => {
  const { db } = collection();
  const catalog = createCatalog(':memory:').db;
  const kindOf = (one: typeof db) =>
    ['application_id', 'user_version'].map((name) => one.pragma(name, { simple: true }));
  expect(kindOf(db)).toEqual([0x4c445850, 1]);
  expect(kindOf(catalog)).toEqual([0x4c445843, 1]);
});

test('points are listed without reading payloads or vectors', () => {
  const file = collection();
  file.db.exec('DROP TABLE payloads; DROP TABLE vectors_0');
  expect(list(file, -1, 10).ids).toEqual([2 ** 40 + 7, ID, 'é']);
  expect([...list(file, -1, 10).fields]).toEqual([7, 1, 1]);
  expect([...list(file, 3, 1).rows]).toEqual([4]);
});
