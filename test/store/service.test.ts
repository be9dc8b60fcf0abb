import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LeandexError, outOfRange, wrongType } from '../../src/base/errors.js';
import { checkpoint, needsCheckpoint } from '../../src/store/checkpoint.js';
import { STORE } from '../../src/store/operations.js';
import { upsert } from '../../src/store/point-writes.js';
import { checkpointIfDue, closeService, fileOf, openService } from '../../src/store/service.js';
import { storeError } from '../../src/store/sqlite-errors.js';
import { buffersOf } from '../../src/store/transfer.js';
import type { Durability } from '../../src/store/types.js';
import { fromWire, toWire } from '../../src/store/wire-error.js';
import { batchOf, float32Field, temporaryFolder, write } from './support.js';

function open(durability: Durability) {
  const path = temporaryFolder();
  const service = openService({ path, durability, readOnly: false });
  const { folder } = STORE.create(service, 'docs', null, [float32Field(768)]);
  return { service, file: fileOf(service, folder) };
}

describe('SQLite is told how durable writes are', () => {
  test.each([
    ['always', 2],
    ['batched', 1],
    ['process', 0],
  ] as const)('%s: synchronous = %i', (durability, synchronous) => {
    const { service, file } = open(durability);
    const pragma = (name: string) => file.db.pragma(name, { simple: true });
    expect(pragma('synchronous')).toBe(synchronous);
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('page_size')).toBe(16_384);
    // A checkpoint of SQLite's own would pass over a failed sync.
    expect(pragma('wal_autocheckpoint')).toBe(0);
    closeService(service);
  });

  test('the catalogue is synced to the last name in every mode', () => {
    const { service } = open('process');
    const pragma = (name: string) => service.catalog.db.pragma(name, { simple: true });
    expect([pragma('synchronous'), pragma('journal_mode')]).toEqual([3, 'delete']);
    closeService(service);
  });
});

test('the log does not grow for ever', () => {
  const { service, file } = open('process');
  const ids = Array.from({ length: 500 }, (_, i) => i);
  const vectors = new Float32Array(500 * 768);
  let most = 0;
  let checkpoints = 0;
  for (let i = 0; i < 150; i++) {
    write(file, () => upsert(file, batchOf(ids, vectors)));
    if (needsCheckpoint(file)) checkpoints++;
    checkpointIfDue(file);
    most = Math.max(most, statSync(`${file.path}-wal`).size);
  }
  expect(checkpoints).toBeGreaterThan(2);
  expect(most).toBeLessThan(2 ** 28);
  checkpoint(file);
  expect(needsCheckpoint(file)).toBe(false);
  closeService(service);
  expect(statSync(join(file.path)).size).toBeGreaterThan(500 * 768 * 4);
});

describe('errors', () => {
  test.each([
    ['SQLITE_FULL', 'RESOURCE_EXHAUSTED'],
    ['SQLITE_IOERR_FSYNC', 'IO_ERROR'],
    ['SQLITE_CORRUPT_INDEX', 'CORRUPT'],
    ['SQLITE_NOTADB', 'CORRUPT'],
    ['SQLITE_BUSY_SNAPSHOT', 'BUSY'],
    ['SQLITE_READONLY_DIRECTORY', 'READ_ONLY'],
    ['SQLITE_CANTOPEN', 'IO_ERROR'],
    ['ENOSPC', 'RESOURCE_EXHAUSTED'],
    ['EROFS', 'READ_ONLY'],
  ])('%s is %s, with the file and the cause', (code, ours) => {
    const cause = Object.assign(new Error('said so'), { code });
    const error = storeError(cause, '/data/points.sqlite') as LeandexError;
    expect(error).toBeInstanceOf(LeandexError);
    expect(error).toMatchObject({ code: ours, details: { file: '/data/points.sqlite' }, cause });
    expect(error.message).toContain('said so');
  });

  test('of the system are IO_ERROR, others stay', () => {
    const system = Object.assign(new Error('no'), { code: 'EIO', syscall: 'fsync' });
    expect(storeError(system, 'f')).toMatchObject({ code: 'IO_ERROR' });
    for (const other of [new TypeError('x'), Object.assign(new Error('x'), { code: 'MINE' }), 7]) {
      expect(storeError(other, 'f')).toBe(other);
    }
  });

  test('pass between threads with all they say', () => {
    const errors = [
      new LeandexError('CORRUPT', 'bad', { details: { row: 7 }, cause: new Error('deeper') }),
      outOfRange('limit', 'small', 7),
      wrongType('path', 'a string', 7),
    ];
    for (const error of errors) {
      const copy = fromWire(structuredClone(toWire(error)));
      expect(copy.constructor).toBe(error.constructor);
      const { code, details } = error as LeandexError;
      expect(copy).toMatchObject({ message: error.message, code, details });
    }
    const copy = fromWire(structuredClone(toWire(errors[0])));
    expect(String(copy.cause)).toContain('deeper');
    expect(fromWire(toWire(new SyntaxError('odd')))).toMatchObject({
      code: 'INTERNAL',
      message: 'SyntaxError: odd',
    });
  });
});

test('the memory of every array of a message is handed over once, shared memory never', () => {
  const a = new Float32Array(2);
  const shared = new Uint32Array(new SharedArrayBuffer(8));
  const value = {
    a,
    again: [a.subarray(1), { b: new Uint32Array(1) }],
    shared,
    n: null,
    text: 'x',
  };
  expect(buffersOf(value)).toEqual([
    a.buffer,
    value.again[1] && (value.again[1] as { b: Uint32Array }).b.buffer,
  ]);
});
