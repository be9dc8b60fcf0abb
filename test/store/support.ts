import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type CollectionFile,
  collectionFileOf,
  createCollectionFile,
  openCollectionFile,
} from '../../src/store/collection-file.js';
import { commitGroup } from '../../src/store/group-commit.js';
import type { PointBatch, StoredField } from '../../src/store/types.js';

/** A folder of its own, gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const float32Field = (size: number, name = ''): StoredField => ({
  name,
  size,
  originals: 'float32',
});

/** A collection in memory, without threads. */
export function memoryCollection(fields: readonly StoredField[]): CollectionFile {
  return collectionFileOf(createCollectionFile(':memory:', fields), ':memory:');
}

/** A collection in a file of its own, with small pages, open to be written. */
export function fileCollection(path: string, fields: readonly StoredField[]): CollectionFile {
  createCollectionFile(path, fields, 512).close();
  return openCollectionFile(path, { readOnly: false, durability: 'process' });
}

/** Runs one write in a transaction of its own, as the writer thread does. */
export function write<T>(file: CollectionFile, run: () => T): T {
  const [outcome] = commitGroup(file, [run]);
  if ('error' in outcome!) throw outcome.error;
  return outcome!.value as T;
}

/** Points with one vector each, `vectors` being row after row, and no payloads. */
export function batchOf(ids: PointBatch['ids'], vectors: Float32Array): PointBatch {
  return { ids, payloads: ids.map(() => null), columns: [{ field: 0, vectors }] };
}

/** The code of the error that a call throws. */
export function codeOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}
