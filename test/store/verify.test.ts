import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/base/steps.js';
import { drain } from '../../src/base/steps.js';
import type { CollectionFile } from '../../src/store/collection-file.js';
import { changePayloads } from '../../src/store/payload-writes.js';
import { list, read } from '../../src/store/point-reads.js';
import { upsert } from '../../src/store/point-writes.js';
import { verify } from '../../src/store/verify.js';
import { batchOf, codeOf, float32Field, memoryCollection, write } from './support.js';

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
    let error: unknown;
    try {
      drain(verify(file));
    } catch (caught) {
      error = caught;
    }
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
