import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import {
  type CollectionFile,
  openCollectionFile,
  readState,
} from '../../src/store/collection-file.js';
import { commitGroup } from '../../src/store/group-commit.js';
import { rowsOf } from '../../src/store/point-reads.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { storeError } from '../../src/store/sqlite-errors.js';
import { NONE } from '../../src/store/types.js';
import { updateVectors } from '../../src/store/vector-writes.js';
import { verify } from '../../src/store/verify.js';
import { batchOf, fileCollection, float32Field, temporaryFolder } from './support.js';

const one = (id: number) => batchOf([id], Float32Array.of(id, id));

function open(): { file: CollectionFile; path: string } {
  const path = join(temporaryFolder(), 'points.sqlite');
  return { file: fileCollection(path, [float32Field(2)]), path };
}

test('a write that fails leaves no trace and fails alone', () => {
  const { file } = open();
  const outcomes = commitGroup(file, [
    () => upsert(file, one(1)),
    () => {
      upsert(file, one(2));
      throw new Error('half done');
    },
    () => updateVectors(file, batchOf([1, 9], new Float32Array(4))),
    () => upsert(file, one(3)),
  ]);
  expect(outcomes.map((outcome) => 'value' in outcome)).toEqual([true, false, false, true]);
  expect([...rowsOf(file, [1, 2, 3])]).toEqual([0, NONE, 1]);
  expect(readState(file)).toMatchObject({ count: 2, nextRow: 2, version: 2 });
  expect(drain(verify(file))).toEqual({ points: 2 });
});

test('where the transaction fails all its writes fail, and the next ones work', () => {
  const { file } = open();
  commitGroup(file, [() => upsert(file, one(1))]);
  const outcomes = commitGroup(file, [
    () => upsert(file, one(2)),
    () => {
      // What SQLite does itself after some failures.
      file.db.exec('ROLLBACK');
      throw new Error('gone');
    },
    () => upsert(file, one(3)),
  ]);
  expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([true, true, true]);
  expect([...rowsOf(file, [1, 2, 3])]).toEqual([0, NONE, NONE]);
  const [after] = commitGroup(file, [() => upsert(file, one(2))]);
  expect(after).toMatchObject({ value: { version: 2, rows: Uint32Array.of(1) } });
  expect(drain(verify(file))).toEqual({ points: 2 });
});

test('another connection sees all of a group or nothing', () => {
  const { file, path } = open();
  const reader = openCollectionFile(path, { readOnly: true, durability: 'process' });
  commitGroup(file, [
    () => upsert(file, one(1)),
    () => {
      expect([...rowsOf(reader, [1])]).toEqual([NONE]);
    },
  ]);
  expect([...rowsOf(reader, [1])]).toEqual([0]);
  reader.db.close();
});

describe('a disk that is full', () => {
  test('is RESOURCE_EXHAUSTED, loses nothing, and works again once there is room', () => {
    const { file } = open();
    commitGroup(file, [() => upsert(file, one(1))]);
    const pages = file.db.pragma('page_count', { simple: true }) as number;
    file.db.pragma(`max_page_count = ${pages}`);
    const big = { ids: [2], payloads: [`{"a":"${'x'.repeat(5000)}"}`], columns: [] };
    const [outcome] = commitGroup(file, [() => upsert(file, big)]);
    expect(storeError((outcome as { error: unknown }).error, 'f')).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    expect(drain(verify(file))).toEqual({ points: 1 });
    file.db.pragma('max_page_count = 100000');
    const [again] = commitGroup(file, [() => upsert(file, big)]);
    expect(again).toMatchObject({ value: { version: 2 } });
    expect(drain(verify(file))).toEqual({ points: 2 });
  });
});

test('rows end before the last that fits 32 bits', () => {
  const { file } = open();
  file.state.nextRow = NONE - 1;
  const [last, over] = commitGroup(file, [() => upsert(file, one(1)), () => upsert(file, one(2))]);
  expect(last).toMatchObject({ value: { rows: Uint32Array.of(NONE - 1) } });
  expect((over as { error: unknown }).error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  commitGroup(file, [() => remove(file, { ids: [1] })]);
  expect(drain(verify(file))).toEqual({ points: 0 });
});
