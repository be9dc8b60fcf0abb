import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PointId } from '../../src/base/point-id.js';
import { drain } from '../../src/base/steps.js';
import { type CollectionFile, openCollectionFile } from '../../src/store/collection-file.js';
import { changePayloads } from '../../src/store/payload-writes.js';
import { list, read, state } from '../../src/store/point-reads.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { Store } from '../../src/store/store.js';
import type { StoredCollection } from '../../src/store/stored-collection.js';
import type { StoredPoint } from '../../src/store/types.js';
import { deleteVectors, updateVectors } from '../../src/store/vector-writes.js';
import { verify } from '../../src/store/verify.js';
import { type Answer, FIELDS, IDS, Model, type Operation, operations } from './model.js';
import { fileCollection, temporaryFolder, write } from './support.js';

const EVERYTHING = { payload: true, fields: FIELDS.map((_, field) => field) };

function missingIds(error: unknown): Answer {
  const { code, details } = error as { code: string; details: { ids: readonly PointId[] } };
  if (code !== 'NOT_FOUND') throw error;
  return { missing: details.ids };
}

function applyToFile(
  file: CollectionFile,
  operation: Exclude<Operation, { kind: 'reopen' }>,
): Answer {
  try {
    return write(file, (): Answer => {
      switch (operation.kind) {
        case 'upsert':
          return upsert(file, operation.batch, operation.mode);
        case 'updateVectors':
          return updateVectors(file, operation);
        case 'deleteVectors':
          return deleteVectors(file, operation.target, operation.fields);
        case 'remove':
          return remove(file, operation.target);
        case 'changePayload':
          return changePayloads(file, operation.target, operation.change);
      }
    });
  } catch (error) {
    return missingIds(error);
  }
}

async function applyToCollection(
  collection: StoredCollection,
  operation: Exclude<Operation, { kind: 'reopen' }>,
): Promise<Answer> {
  try {
    switch (operation.kind) {
      case 'upsert':
        return await collection.upsert(operation.batch, operation.mode);
      case 'updateVectors':
        return await collection.updateVectors(operation);
      case 'deleteVectors':
        return await collection.deleteVectors(operation.target, operation.fields);
      case 'remove':
        return await collection.remove(operation.target);
      case 'changePayload':
        return await collection.changePayload(operation.target, operation.change);
    }
  } catch (error) {
    return missingIds(error);
  }
}

const byField = (answer: Answer): Answer =>
  'carried' in answer
    ? { ...answer, carried: answer.carried.toSorted((a, b) => a.field - b.field) }
    : answer;

function expectListed(listed: ReturnType<typeof list>, all: StoredPoint[]): void {
  const bits = ({ vectors }: StoredPoint) =>
    vectors.reduce((sum, vector, field) => sum + (vector === undefined ? 0 : 2 ** field), 0);
  expect(listed).toEqual({
    rows: Uint32Array.from(all, ({ row }) => row),
    versions: Float64Array.from(all, ({ version }) => version),
    fields: Uint32Array.from(all, bits),
    ids: all.map(({ id }) => id),
  });
}

describe('any sequence of writes leaves what a Map would hold', () => {
  test('in a file', () => {
    const folder = temporaryFolder();
    let run = 0;
    fc.assert(
      fc.property(operations, (sequence) => {
        const path = join(folder, `${run++}.sqlite`);
        let file = fileCollection(path, FIELDS);
        const model = new Model();
        for (const operation of sequence) {
          if (operation.kind === 'reopen') {
            file.db.close();
            file = openCollectionFile(path, { readOnly: false, durability: 'process' });
          } else {
            expect(byField(applyToFile(file, operation))).toEqual(model.apply(operation));
          }
        }
        const all = model.all();
        expectListed(list(file, -1, 100), all);
        expect(read(file, { rows: Uint32Array.from(all, ({ row }) => row) }, EVERYTHING)).toEqual(
          all,
        );
        expect(read(file, { ids: IDS }, EVERYTHING)).toHaveLength(all.length);
        const { nextRow, version } = model;
        expect(state(file)).toEqual({ count: all.length, nextRow, version });
        expect(drain(verify(file))).toEqual({ points: all.length });
        file.db.close();
      }),
      { seed: 1, numRuns: 250 },
    );
  });

  test('through threads', async () => {
    const folder = temporaryFolder();
    let store = await Store.open(folder, { durability: 'process', pageBytes: 512 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const name = `c${run++}`;
        let collection = await store.create(name, null, FIELDS);
        const model = new Model();
        for (const operation of sequence) {
          if (operation.kind === 'reopen') {
            await store.close();
            store = await Store.open(folder, { durability: 'process', pageBytes: 512 });
            collection = await store.openCollection(name);
          } else {
            const answer = byField(await applyToCollection(collection, operation));
            expect(answer).toEqual(model.apply(operation));
          }
        }
        const all = model.all();
        expectListed(await collection.list(-1, 100), all);
        const rows = Uint32Array.from(all, ({ row }) => row);
        expect(await collection.read({ rows }, EVERYTHING)).toEqual(all);
        await store.remove(name);
      }),
      { seed: 2, numRuns: 20 },
    );
    await store.close();
  });
});
