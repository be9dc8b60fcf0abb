import { readdir, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { checkInteger } from '../base/check.js';
import type { Distance } from '../base/distance.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import type { PointId } from '../base/point-id.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import type { PayloadChange } from '../filter/change-payload.js';
import type { ParsedFilter } from '../filter/conditions.js';
import { isSyncFailure, type PartWriter, replaceFile } from '../format/replace-file.js';
import { checkBatch } from './limits.js';
import { openToRead, type ReadableFile, removeFile } from './safe-file.js';
import type { Store } from './store.js';
import type { ScoredTexts, TextMatch } from './text-search.js';
import type { TextIndex } from './text-tables.js';
import { ownCopy } from './transfer.js';
import type {
  CollectionEntry,
  CollectionState,
  Matched,
  Moved,
  PayloadsChanged,
  PointBatch,
  PointList,
  Removed,
  Scored,
  StoredField,
  StoredPoint,
  Target,
  UpsertMode,
  VectorColumn,
  VectorRows,
  Wanted,
  Written,
} from './types.js';

const LIST_MAX = 100_000;

/** One collection of a store. Everything happens in the store's threads. */
export class StoredCollection {
  readonly name: string;
  readonly fields: readonly StoredField[];
  /** The caller's own configuration, as it was when this was opened. */
  readonly config: unknown;
  /** Absolute path of its folder; undefined in memory. */
  readonly folder: string | undefined;
  private readonly store: Store;
  private readonly key: string;

  constructor(store: Store, { name, folder, fields, config }: CollectionEntry) {
    this.store = store;
    this.name = name;
    this.fields = fields;
    this.config = config;
    this.key = folder;
    this.folder = store.folderOf(folder);
  }

  /** Opens its file in all threads, so that a damaged one is found now. */
  async warmUp(): Promise<void> {
    // The writer first: it may have to change how the file is kept.
    if (!this.store.readOnly) await this.store.write(this.key, 'state', []);
    await this.state();
  }

  /** As it is committed. */
  state(): Promise<CollectionState> {
    return this.store.read(this.key, 'state', []);
  }

  /** Another number than before when the file was written to meanwhile, by any process. */
  dataVersion(): Promise<number> {
    return this.store.read(this.key, 'dataVersion', []);
  }

  /**
   * Writes whole points; `insert_only` skips those that are there, `update_only` those that are not.
   * @throws RangeError for a batch that does not fit; LeandexError `RESOURCE_EXHAUSTED`, `IO_ERROR`
   */
  async upsert(batch: PointBatch, mode: UpsertMode = 'upsert'): Promise<Written> {
    checkBatch(this.fields, batch);
    const { ids, payloads } = batch;
    const args = { ids, payloads, columns: batch.columns.map(ownColumn) };
    return this.store.write(this.key, 'upsert', [args, mode]);
  }

  /**
   * Replaces some vectors of points; the rest of these points moves to the new rows with them.
   * @throws LeandexError `NOT_FOUND` with the missing `details.ids`; nothing is changed
   */
  async updateVectors(batch: Omit<PointBatch, 'payloads'>): Promise<Moved> {
    const { ids } = batch;
    checkBatch(this.fields, { ...batch, payloads: ids.map(() => null) });
    const columns = batch.columns.map(ownColumn);
    return this.store.write(this.key, 'updateVectors', [{ ids, columns }]);
  }

  /**
   * Deletes vectors of these fields; a point that has none of them keeps its row, and has NONE
   * among the rows.
   * @throws LeandexError `NOT_FOUND` with the missing `details.ids`; nothing is changed
   */
  async deleteVectors(target: Target, fields: readonly number[]): Promise<Moved> {
    for (const field of fields) this.checkField(field);
    return this.store.write(this.key, 'deleteVectors', [ownTarget(target), fields]);
  }

  /** Deletes points; those that are not there are skipped. */
  async remove(target: Target): Promise<Removed> {
    return this.store.write(this.key, 'remove', [ownTarget(target)]);
  }

  /**
   * Changes payloads; rows stay, and those that are not there are skipped.
   * @throws LeandexError `NOT_FOUND` with the missing `details.ids`; nothing is changed
   */
  async changePayload(target: Target, change: PayloadChange): Promise<PayloadsChanged> {
    return this.store.write(this.key, 'changePayloads', [ownTarget(target), change]);
  }

  /** NONE where there is no such point. */
  async rowsOf(ids: readonly PointId[]): Promise<Uint32Array> {
    return this.store.read(this.key, 'rowsOf', [ids]);
  }

  /** In the order asked for, without those that are not there. */
  async read(target: Target, wanted: Wanted): Promise<StoredPoint[]> {
    for (const field of wanted.fields) this.checkField(field);
    return this.store.read(this.key, 'read', [ownTarget(target), wanted]);
  }

  /** Those that are there, by ascending row, in shared memory. */
  async readVectors(field: number, rows: Uint32Array): Promise<VectorRows> {
    this.checkField(field);
    return this.store.read(this.key, 'readVectors', [field, ownCopy(rows)]);
  }

  /** Points with rows above `afterRow` (−1: all), ascending; fewer than `limit` are the last. */
  async list(afterRow: number, limit: number): Promise<PointList> {
    checkInteger('limit', limit, 1, LIST_MAX);
    return this.store.read(this.key, 'list', [afterRow, limit]);
  }

  /**
   * Rows in the order of ids, from one on, itself included.
   * @param rows only these, ascending
   */
  async page(from: PointId | undefined, limit: number, rows?: Uint32Array): Promise<Uint32Array> {
    return this.store.read(this.key, 'page', [from, limit, rows && ownCopy(rows)]);
  }

  /** The rows whose points match a filter, in the order given. */
  async match(filter: ParsedFilter, rows: Uint32Array, options?: RunOptions): Promise<Matched> {
    return this.store.read(this.key, 'match', [filter, ownCopy(rows)], options);
  }

  /** The best k of a field's vectors by their exact scores, best first, equal ones by row. */
  async scan(
    field: number,
    query: Float32Array,
    distance: Distance,
    k: number,
    rows?: Uint32Array,
    options?: RunOptions,
  ): Promise<Scored> {
    this.checkField(field);
    const args = [field, ownCopy(query), distance, k, rows && ownCopy(rows)] as const;
    return this.store.read(this.key, 'scan', [...args], options);
  }

  /** The exact score of each row; NaN where it has no vector. */
  async scores(
    field: number,
    query: Float32Array,
    distance: Distance,
    rows: Uint32Array,
    options?: RunOptions,
  ): Promise<Float64Array> {
    this.checkField(field);
    const args = [field, ownCopy(query), distance, ownCopy(rows)] as const;
    return this.store.read(this.key, 'scores', [...args], options);
  }

  /** The indexes of texts that there are. */
  async texts(): Promise<TextIndex[]> {
    return this.store.read(this.key, 'texts', []);
  }

  /** The best k rows by BM25 of the texts of a field, of all or only some rows, ascending. */
  async searchTexts(
    match: TextMatch,
    k: number,
    rows?: Uint32Array,
    options?: RunOptions,
  ): Promise<ScoredTexts> {
    return this.store.read(this.key, 'searchTexts', [match, k, rows && ownCopy(rows)], options);
  }

  /** Makes an index of the texts of a field, while writes go on; it is whole when this resolves. */
  async createText(
    settings: Pick<TextIndex, 'field' | 'tokenizer' | 'prefix'>,
    { signal, onProgress }: RunOptions = {},
  ): Promise<void> {
    const { field } = settings;
    await this.store.write(this.key, 'createText', [settings]);
    try {
      for (let isWhole = false; !isWhole; ) {
        throwIfAborted(signal);
        const { missing } = await this.store.write(this.key, 'fillText', [field]);
        isWhole = missing === null;
        if (missing !== null)
          onProgress?.({ phase: 'load', done: missing.from, total: missing.to });
      }
    } catch (error) {
      await this.dropTexts(field).catch(() => {});
      throw error;
    }
  }

  /** Deletes the index of a field, or all that are not whole; how many there were. */
  async dropTexts(field: string | undefined): Promise<number> {
    return this.store.write(this.key, 'dropTexts', [field]);
  }

  /**
   * Reads and checks everything, while reads and writes go on.
   * @throws LeandexError `CORRUPT` with the file, and where known the table and row
   */
  verify(options?: RunOptions): Promise<{ points: number }> {
    return this.store.apart((thread) => thread.call(this.key, 'verify', [], options));
  }

  /** Copies the collection as it is now into one file, while writes go on. */
  async backup(file: string): Promise<{ bytes: number }> {
    const target = resolve(file);
    if (target.startsWith(this.store.path + sep)) {
      throw outOfRange('the file of a backup', `outside of ${this.store.path}`, file);
    }
    const entry = (await this.store.collections()).find(({ folder }) => folder === this.key);
    return this.store.apart((thread) => thread.call(this.key, 'backup', [target, entry?.config]));
  }

  /** Gives the space of deleted points back to the file system, between writes. */
  async reclaim(options?: RunOptions): Promise<void> {
    return this.store.write(this.key, 'reclaim', [], options);
  }

  /** Of all its files. */
  async bytesOnDisk(): Promise<number> {
    if (this.folder === undefined) return 0;
    const names = await readdir(this.folder);
    const sizes = names.map((name) => stat(join(this.folder!, name)).then(({ size }) => size));
    // A file may go while this looks.
    const found = await Promise.all(sizes.map((size) => size.catch(() => 0)));
    return found.reduce((sum, size) => sum + size, 0);
  }

  /** A file beside the points, to be read; undefined where there is none. */
  async openFile(name: string): Promise<ReadableFile | undefined> {
    if (this.folder === undefined) return undefined;
    return openToRead(this.store.fs, this.pathOf(name));
  }

  /**
   * Replaces a file beside the points, wholly or not at all. What was written before is durable
   * before it: the file never knows of points that a power loss takes away.
   */
  async replaceFile(name: string, write: (write: PartWriter) => Promise<void>): Promise<void> {
    await this.store.write(this.key, 'flush', []);
    try {
      await replaceFile(this.store.fs, this.pathOf(name), write);
    } catch (error) {
      if (isSyncFailure(error)) this.store.refuse(error as Error);
      throw error;
    }
  }

  async removeFile(name: string): Promise<void> {
    this.store.checkWritable();
    await removeFile(this.store.fs, this.pathOf(name));
  }

  private pathOf(name: string): string {
    if (!/^[\w-]+\.leandex$/.test(name)) throw outOfRange('name', 'like name.leandex', name);
    if (this.folder !== undefined) return join(this.folder, name);
    throw new LeandexError('UNSUPPORTED', 'a collection in memory has no files');
  }

  private checkField(field: number): void {
    checkInteger('field', field, 0, this.fields.length - 1);
  }
}

function ownColumn({ field, vectors, offsets, at }: VectorColumn): VectorColumn {
  return {
    field,
    vectors: ownCopy(vectors),
    ...(offsets && { offsets: ownCopy(offsets) }),
    ...(at && { at: ownCopy(at) }),
  };
}

function ownTarget(target: Target): Target {
  return 'ids' in target ? target : { rows: ownCopy(target.rows) };
}
