import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyOfId } from '../../src/base/point-id.js';
import type { Progress } from '../../src/base/steps.js';
import { drain } from '../../src/base/steps.js';
import { addEntry, createCatalog, openCatalog } from '../../src/store/catalog-file.js';
import {
  type CollectionFile,
  collectionFileOf,
  openCollectionFile,
} from '../../src/store/collection-file.js';
import { changePayloads } from '../../src/store/payload-writes.js';
import { list, read, rowsOf } from '../../src/store/point-reads.js';
import { upsert } from '../../src/store/point-writes.js';
import { payloadChecksum } from '../../src/store/row-checksum.js';
import { leaveWriteAheadLog } from '../../src/store/sqlite.js';
import { NONE } from '../../src/store/types.js';
import { verify } from '../../src/store/verify.js';
import {
  batchOf,
  codeOf,
  fileCollection,
  float32Field,
  memoryCollection,
  temporaryFolder,
  write,
} from './support.js';

const ALL = { payload: true, fields: [0, 1] };

function collection(): CollectionFile {
  const file = memoryCollection([float32Field(2), float32Field(1, 'b')]);
  const batch = batchOf(
    [10, 11, 12, 13],
    Float32Array.from({ length: 8 }, (_, i) => i),
  );
  const second = { field: 1, vectors: Float32Array.of(7, 8), at: Uint32Array.of(0, 2) };
  const columns = [...batch.columns, second];
  write(file, () =>
    upsert(file, { ...batch, payloads: ['{"a":1}', '{"a":2}', null, '{}'], columns }),
  );
  return file;
}

test('counts the points of a sound collection, with progress', () => {
  const file = collection();
  const seen: Progress[] = [];
  const steps = verify(file);
  for (;;) {
    const { value, done } = steps.next();
    if (done) {
      expect(value).toEqual({ points: 4 });
      break;
    }
    seen.push(value as Progress);
  }
  expect(seen[0]).toEqual({ phase: 'verify', done: 0, total: 16 });
  expect(file.db.inTransaction).toBe(false);
});

/** What verify() throws. */
function damageOf(file: CollectionFile): unknown {
  try {
    drain(verify(file));
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Damage that SQLite itself takes for sound, and the table that it is found in. */
const DAMAGES: [string, string, string | undefined][] = [
  ['a changed version', 'UPDATE points SET version = 9 WHERE row = 1', 'points'],
  ['another key', "UPDATE points SET key = x'01000000000000000f' WHERE row = 1", 'points'],
  ['a point in another row', 'UPDATE points SET row = 99 WHERE row = 1', 'points'],
  ['a changed bit of parts', 'UPDATE points SET parts = parts | 4 WHERE row = 1', 'points'],
  ['a changed checksum', 'UPDATE points SET checksum = checksum + 1 WHERE row = 3', 'points'],
  ['a changed payload', `UPDATE payloads SET json = '{"a":3}' WHERE row = 0`, 'payloads'],
  ['a lost payload', 'DELETE FROM payloads WHERE row = 0', undefined],
  ['a payload of another row', 'UPDATE payloads SET row = 2 WHERE row = 0', 'payloads'],
  ['a payload too many', `INSERT INTO payloads VALUES (2, '{}', 0)`, 'payloads'],
  ['a payload without a point', `INSERT INTO payloads VALUES (77, '{}', 0)`, 'payloads'],
  [
    'a changed vector',
    "UPDATE vectors_0 SET data = x'0000000000000000' WHERE row = 0",
    'vectors_0',
  ],
  ['a shorter vector', "UPDATE vectors_1 SET data = x'000000' WHERE row = 0", 'vectors_1'],
  ['a lost vector', 'DELETE FROM vectors_1 WHERE row = 2', undefined],
  ['a vector of another row', 'UPDATE vectors_1 SET row = 1 WHERE row = 0', 'vectors_1'],
  [
    'vectors that changed places',
    `UPDATE vectors_0 SET row = 9 WHERE row = 0; UPDATE vectors_0 SET row = 0 WHERE row = 1;
     UPDATE vectors_0 SET row = 1 WHERE row = 9`,
    'vectors_0',
  ],
  [
    'a point lost with all that is its own',
    `DELETE FROM points WHERE row = 3; DELETE FROM payloads WHERE row = 3;
     DELETE FROM vectors_0 WHERE row = 3`,
    'points',
  ],
  ['counters that changed', `UPDATE meta SET value = '{"count":4}' WHERE name = 'state'`, 'meta'],
  ['lost counters', `DELETE FROM meta WHERE name = 'state'`, 'meta'],
];

describe('finds', () => {
  test.each(DAMAGES)('%s', (_, sql, table) => {
    const file = collection();
    file.db.exec(sql);
    const error = damageOf(file);
    expect(error).toMatchObject({ code: 'CORRUPT', details: { file: ':memory:' } });
    expect((error as { details: { table?: string } }).details.table).toBe(table);
    expect(file.db.inTransaction).toBe(false);
  });

  test('an older payload, put back with its old checksum', () => {
    const file = collection();
    const [json, checksum] = file.db
      .prepare('SELECT json, checksum FROM payloads WHERE row = 1')
      .raw()
      .get() as unknown[];
    const change = { kind: 'overwrite', payload: { a: 5 } } as const;
    write(file, () => changePayloads(file, { ids: [11] }, change));
    expect(drain(verify(file))).toEqual({ points: 4 });
    const back = file.db.prepare('UPDATE payloads SET json = ?, checksum = ? WHERE row = 1');
    back.run(json, checksum);
    expect(codeOf(() => drain(verify(file)))).toBe('CORRUPT');
    expect(codeOf(() => read(file, { ids: [11] }, ALL))).toBe('CORRUPT');
  });
});

test('a payload that its point knows nothing of does not stand for a lost one', () => {
  const file = collection();
  file.db.exec('DELETE FROM payloads WHERE row = 0');
  file.db.prepare('INSERT INTO payloads VALUES (2, ?, ?)').run('{}', payloadChecksum(2, 1, '{}'));
  expect(damageOf(file)).toMatchObject({ code: 'CORRUPT', details: { table: 'payloads', row: 2 } });
});

test('an index of ids that leads to another point is found out by asking for the id', () => {
  const path = join(temporaryFolder(), 'points.sqlite');
  const file = fileCollection(path, []);
  write(file, () => upsert(file, { ids: [10, 20], payloads: [null, null], columns: [] }));
  leaveWriteAheadLog(file.db);
  file.db.close();
  const bytes = readFileSync(path);
  const first = bytes.indexOf(keyOfId(20));
  // In the table and in its index.
  const places = [first, bytes.indexOf(keyOfId(20), first + 1)];
  expect(places.every((place) => place > 0)).toBe(true);
  const answerOf = (damaged: CollectionFile, id: number) => {
    try {
      return rowsOf(damaged, [id])[0];
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const answers = places.map((place) => {
    const changed = Buffer.from(bytes);
    keyOfId(21).copy(changed, place);
    writeFileSync(path, changed);
    const damaged = openCollectionFile(path, { readOnly: true, durability: 'process' });
    const found = [20, 21].map((id) => answerOf(damaged, id));
    damaged.db.close();
    return found;
  });
  // Where the table is damaged the index, which is not, answers; where that is, 20 is not found.
  expect(answers).toContainEqual([NONE, 'CORRUPT']);
  for (const [of20, of21] of answers) {
    expect([1, NONE, 'CORRUPT']).toContain(of20);
    expect([NONE, 'CORRUPT']).toContain(of21);
  }
});

describe('opening finds', () => {
  test.each([
    'ALTER TABLE points ADD COLUMN other INTEGER',
    'DROP TABLE vectors_1',
    'CREATE TABLE other(x)',
    'CREATE INDEX other ON payloads(json)',
    'CREATE TRIGGER other AFTER INSERT ON points BEGIN DELETE FROM points; END',
    "UPDATE meta SET checksum = checksum + 1 WHERE name = 'fields'",
    'PRAGMA application_id = 7',
    'PRAGMA user_version = 0',
  ])('%s', (sql) => {
    const { db } = collection();
    db.exec(sql);
    expect(codeOf(() => collectionFileOf(db, ':memory:'))).toBe('CORRUPT');
  });

  test('a collection that is gone from the catalogue', () => {
    const path = join(temporaryFolder(), 'catalog.sqlite');
    const catalog = createCatalog(path, 512);
    addEntry(catalog, { name: 'docs', folder: '0123456789abcdef', config: null, fields: [] });
    catalog.db.exec('DELETE FROM collections');
    catalog.db.close();
    expect(codeOf(() => openCatalog(path, true))).toBe('CORRUPT');
  });
});

describe('reading finds, without verify()', () => {
  const everything = (file: CollectionFile) => read(file, { rows: list(file, -1, 100).rows }, ALL);

  test.each(
    DAMAGES.filter(([, , table]) => table === undefined || !/points|meta/.test(table)),
  )('%s, if it concerns the point that is read', (name, sql) => {
    const file = collection();
    file.db.exec(sql);
    // What belongs to no point is never read.
    const isRead = !/too many|without a point/.test(name);
    expect(codeOf(() => everything(file))).toBe(isRead ? 'CORRUPT' : undefined);
  });
});
