import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LeandexError } from '../../src/base/errors.js';
import type { PointId } from '../../src/base/point-id.js';
import { drain } from '../../src/base/steps.js';
import { entries } from '../../src/store/catalog-file.js';
import { scan } from '../../src/store/exact-scores.js';
import { STORE } from '../../src/store/operations.js';
import { page } from '../../src/store/page.js';
import { list, read, readVectors } from '../../src/store/point-reads.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { closeService, fileOf, openService, type ServiceOptions } from '../../src/store/service.js';
import { storeError } from '../../src/store/sqlite-errors.js';
import { searchTexts } from '../../src/store/text-search.js';
import { createText, fillText } from '../../src/store/text-writes.js';
import type { PointBatch, StoredField } from '../../src/store/types.js';
import { verify } from '../../src/store/verify.js';
import { write } from './support.js';

const FIELDS: readonly StoredField[] = [
  { name: 'a', size: 4, originals: 'float32' },
  { name: 'b', size: 3, originals: 'none' },
  { name: 'c', size: 2, originals: 'none', multi: true },
];
const QUERY = Float32Array.of(1, 2, 3, 4);
const CONFIG = { distance: 'Dot' };

/**
 * Codes of errors that say that a file is not what it was; READ_ONLY where its header says that
 * nobody may write to it.
 */
const DAMAGE: ReadonlySet<unknown> = new Set([
  'CORRUPT',
  'IO_ERROR',
  'READ_ONLY',
  'UNSUPPORTED_VERSION',
]);

export const optionsOf = (path: string, readOnly: boolean): ServiceOptions => ({
  path,
  readOnly,
  durability: 'process',
  pageBytes: 512,
});

const IDS: readonly PointId[] = [1, 2, 2n ** 64n - 1n, 'name', 5, 6, 7, 8, 9, 10, 11, 12];

/** Points of every kind: with and without payloads, vectors, holes between rows. */
export function writeSmallStore(path: string): void {
  const service = openService(optionsOf(path, false));
  const { folder } = STORE.create(service, 'docs', CONFIG, FIELDS);
  STORE.create(service, 'other', null, []);
  const file = fileOf(service, folder);
  const at = Uint32Array.of(0, 2, 3, 5, 11);
  const batch: PointBatch = {
    ids: IDS,
    payloads: IDS.map((id, i) => (i % 3 === 1 ? null : `{"id":"${id}","text":"${'x'.repeat(i)}"}`)),
    columns: [
      { field: 0, vectors: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)) },
      { field: 1, vectors: Float32Array.from({ length: 15 }, (_, i) => Math.cos(i)), at },
      {
        field: 2,
        vectors: Float32Array.from({ length: 24 }, (_, i) => Math.tan(i)),
        offsets: Uint32Array.of(0, 1, 4, 5, 10, 12),
        at,
      },
    ],
  };
  write(file, () => createText(file, { field: 'text', tokenizer: 'unicode61', prefix: [] }));
  write(file, () => fillText(file, 'text'));
  write(file, () => upsert(file, batch));
  write(file, () => remove(file, { ids: [5, 9] }));
  write(file, () => upsert(file, { ids: [2], payloads: ['{}'], columns: [] }));
  closeService(service);
}

/** Everything that can be read from a store; each thing under its own name. */
export type Contents = Map<string, unknown>;

/** Reads all there is in every way; throws where a read finds damage. */
export function readEverything(path: string, into: Contents): void {
  const service = openService(optionsOf(path, true));
  try {
    into.set('id', service.catalog.id);
    for (const { name, folder, config, fields } of entries(service.catalog)) {
      into.set(`collection ${name}`, { config, fields });
      const file = fileOf(service, folder);
      const listed = list(file, -1, 100);
      for (const [i, id] of listed.ids.entries()) {
        const { rows, versions } = listed;
        into.set(`${name} listed ${String(id)}`, [rows[i], versions[i], listed.fields[i]]);
      }
      const wanted = { payload: true, fields: fields.map((_, f) => f) };
      for (const point of read(file, { rows: listed.rows }, wanted)) {
        into.set(`${name} point ${String(point.id)}`, point);
      }
      for (const id of IDS) {
        for (const point of read(file, { ids: [id] }, wanted)) {
          into.set(`${name} by id ${String(id)}`, point);
        }
      }
      into.set(`${name} order`, drain(page(file, undefined, 100)));
      fields.forEach(({ size }, field) => {
        const { rows, vectors, offsets } = drain(readVectors(file, field, listed.rows));
        rows.forEach((row, i) => {
          const [from, to] = [offsets?.[i] ?? i, offsets?.[i + 1] ?? i + 1];
          into.set(`${name} vector ${field} ${row}`, vectors.slice(from * size, to * size));
        });
      });
      if (fields.length === 0) continue;
      const match = { field: 'text', phrases: ['x'], isAll: false, isPrefix: true };
      const texts = searchTexts(file, match, 100);
      for (const [i, row] of texts.rows.entries()) into.set(`${name} text ${row}`, texts.scores[i]);
      const { rows, scores } = drain(scan(file, 0, QUERY, 'Dot', 100));
      for (const [i, row] of rows.entries()) into.set(`${name} score ${row}`, scores[i]);
    }
  } finally {
    closeService(service);
  }
}

export function verifyAll(path: string): void {
  const service = openService(optionsOf(path, true));
  try {
    for (const { folder } of entries(service.catalog)) drain(verify(fileOf(service, folder)));
  } finally {
    closeService(service);
  }
}

/** Whether a step finds damage: throws an error that says so. Any other error is passed on. */
export function findsDamage(step: () => void): boolean {
  try {
    step();
    return false;
  } catch (error) {
    const known = storeError(error, 'a file');
    if (known instanceof LeandexError && DAMAGE.has(known.code)) return true;
    throw error;
  }
}

/** Paths of the databases of a closed store. */
export function databasesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => join(path, name));
}

/** Calls with a file changed, and changes it back. */
export function withFile<T>(file: string, change: (bytes: Buffer) => Buffer, call: () => T): T {
  const bytes = readFileSync(file);
  writeFileSync(file, change(Buffer.from(bytes)));
  try {
    return call();
  } finally {
    writeFileSync(file, bytes);
  }
}
