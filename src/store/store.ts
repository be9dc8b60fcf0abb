import { resolve } from 'node:path';
import { checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError, wrongType } from '../base/errors.js';
import type { RunOptions } from '../base/steps.js';
import { type FileSystem, nodeFileSystem } from '../format/file-system.js';
import type { Staged } from './backup.js';
import { folderPath, MEMORY } from './layout.js';
import { checkFields, checkName } from './limits.js';
import type { Arguments, OperationName, Result } from './protocol.js';
import { checkSqlite } from './sqlite.js';
import { closedError, StoreThread } from './store-thread.js';
import { StoredCollection } from './stored-collection.js';
import type { CollectionEntry, Durability, StoredField } from './types.js';

export interface StoreOptions {
  /** Default: `always`. */
  durability?: Durability;
  /** Reads what is there, also while another process writes. */
  readOnly?: boolean;
  /** For snapshot files; tests put theirs in its place. */
  fs?: FileSystem;
  /** For tests, which want small files. */
  pageBytes?: number;
}

const DURABILITIES: readonly Durability[] = ['always', 'batched', 'process'];

/** Which threads a store has: one to write and one to read, or one alone. */
interface Threads {
  /** Undefined in a store that is only read. */
  writer: StoreThread | undefined;
  reader: StoreThread;
}

/**
 * A folder of collections, or one in memory: SQLite in threads of its own. Writes are acknowledged
 * when they are committed; reads see all that was acknowledged before they were called.
 */
export class Store {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly durability: Durability;
  readonly fs: FileSystem;
  /** Of this store, for ever. */
  readonly id: string;
  private readonly pageBytes: number | undefined;
  private threads: Threads;
  /** Long work in threads of its own. */
  private readonly helpers = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;
  private restarting: Promise<void> | undefined;

  private constructor(path: string, options: StoreOptions, threads: Threads) {
    this.path = path;
    this.readOnly = options.readOnly ?? false;
    this.durability = options.durability ?? 'always';
    this.fs = options.fs ?? nodeFileSystem;
    this.id = threads.reader.storeId;
    this.pageBytes = options.pageBytes;
    this.threads = threads;
  }

  /**
   * @param path of a folder, made if it is not there, or `:memory:`
   * @throws LeandexError `UNSUPPORTED` without a better-sqlite3 that fits, `BUSY` where another
   * writer has it open, `NOT_FOUND` where there is nothing to read, `CORRUPT`, `IO_ERROR`, ...
   */
  static async open(path: string, options: StoreOptions = {}): Promise<Store> {
    if (typeof path !== 'string') throw wrongType('path', 'a string', path);
    checkOptions('options', options, ['durability', 'readOnly', 'fs', 'pageBytes']);
    checkOneOf('durability', options.durability ?? 'always', DURABILITIES);
    checkSqlite();
    const where = path === MEMORY ? MEMORY : resolve(path);
    if (where === MEMORY && options.readOnly) {
      throw new LeandexError(
        'INVALID_ARGUMENT',
        'a store in memory cannot be opened to be read only',
      );
    }
    return new Store(where, options, await startThreads(where, options));
  }

  /** Resolves when a thread has died, with why; restart() gives the store new ones. */
  get lost(): Promise<Error> {
    const { writer, reader } = this.threads;
    return Promise.race([reader.lost, ...(writer === undefined ? [] : [writer.lost])]);
  }

  /**
   * Ends the threads and starts new ones. What was acknowledged is there; what was not may be.
   * @throws as open(); a store in memory cannot be restarted: `UNSUPPORTED`
   */
  async restart(): Promise<void> {
    if (this.path === MEMORY) {
      throw new LeandexError('UNSUPPORTED', 'what was in memory went with its thread');
    }
    this.checkOpen();
    this.restarting ??= this.replaceThreads().finally(() => {
      this.restarting = undefined;
    });
    await this.restarting;
  }

  private async replaceThreads(): Promise<void> {
    await closeThreads(this.threads).catch(() => {});
    const { durability, readOnly, pageBytes } = this;
    this.threads = await startThreads(this.path, {
      durability,
      readOnly,
      ...(pageBytes === undefined ? {} : { pageBytes }),
    });
  }

  /** The threads; while they are being replaced calls wait for the new ones. */
  private async current(): Promise<Threads> {
    if (this.restarting !== undefined) await this.restarting;
    return this.threads;
  }

  /** All collections, by name. */
  collections(): Promise<CollectionEntry[]> {
    return this.callStore('collections', []);
  }

  /** @throws LeandexError `ALREADY_EXISTS`, `READ_ONLY`; RangeError for what cannot be stored */
  async create(
    name: string,
    config: unknown,
    fields: readonly StoredField[],
  ): Promise<StoredCollection> {
    this.checkWritable();
    checkName(name);
    checkFields(fields);
    const entry = await this.callStore('create', [name, config, fields]);
    return new StoredCollection(this, entry);
  }

  /** @throws LeandexError `NOT_FOUND`, `CORRUPT`, ... */
  async openCollection(name: string): Promise<StoredCollection> {
    const entry = (await this.collections()).find((one) => one.name === name);
    if (entry === undefined) {
      throw new LeandexError('NOT_FOUND', `there is no collection ${JSON.stringify(name)}`);
    }
    const collection = new StoredCollection(this, entry);
    await collection.warmUp();
    return collection;
  }

  /** Replaces the caller's own configuration of a collection. */
  async setConfig(name: string, config: unknown): Promise<void> {
    this.checkWritable();
    await this.callStore('setConfig', [name, config]);
  }

  /** Deletes a collection with all its files; false where there is none. */
  async remove(name: string): Promise<boolean> {
    this.checkWritable();
    if (!(await this.forget(name))) return false;
    return this.callStore('removeCollection', [name]);
  }

  /** Closes a collection in the thread that reads; false where there is none. */
  private async forget(name: string): Promise<boolean> {
    const entry = (await this.collections()).find((one) => one.name === name);
    if (entry === undefined) return false;
    const { writer, reader } = this.threads;
    if (reader !== writer) await reader.call(undefined, 'forget', [entry.folder]);
    return true;
  }

  /**
   * Makes a collection of a file that backup() wrote, all of it verified first.
   * @throws LeandexError `ALREADY_EXISTS`, `CORRUPT`, `ABORTED`, ...
   */
  async restore(name: string, file: string, options: RunOptions = {}): Promise<StoredCollection> {
    this.checkWritable();
    checkName(name);
    if ((await this.collections()).some((one) => one.name === name)) {
      throw new LeandexError(
        'ALREADY_EXISTS',
        `there is a collection ${JSON.stringify(name)} already`,
      );
    }
    const staged = await this.stage(file, options);
    return new StoredCollection(this, await this.callStore('adopt', [name, staged]));
  }

  /**
   * Copies a file that backup() wrote, all of it verified; replace() makes a collection of it.
   * @throws LeandexError `CORRUPT`, `ABORTED`, ...
   */
  async stage(file: string, options: RunOptions = {}): Promise<Staged> {
    this.checkWritable();
    return this.apart((thread) => thread.call(undefined, 'stage', [resolve(file)], options));
  }

  /** Puts what was staged in the place of the collection of this name, which nobody uses any more. */
  async replace(name: string, staged: Staged): Promise<StoredCollection> {
    this.checkWritable();
    await this.forget(name);
    return new StoredCollection(this, await this.callStore('replace', [name, staged]));
  }

  /** Waits for what was called, syncs everything and ends the threads. */
  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.helpers).then(() => closeThreads(this.threads));
    return this.closing;
  }

  /** Calls an operation of the thread that writes. For StoredCollection. */
  async write<N extends OperationName>(
    folder: string,
    name: N,
    args: Arguments<N>,
    options?: RunOptions,
  ): Promise<Result<N>> {
    this.checkWritable();
    const { writer } = await this.current();
    return writer!.call(folder, name, args, options);
  }

  /** Calls an operation of the thread that reads. For StoredCollection. */
  async read<N extends OperationName>(
    folder: string,
    name: N,
    args: Arguments<N>,
    options?: RunOptions,
  ): Promise<Result<N>> {
    this.checkOpen();
    const { reader } = await this.current();
    return reader.call(folder, name, args, options);
  }

  /** Long work in a thread of its own, so that nothing waits for it. For StoredCollection. */
  async apart<T>(work: (thread: StoreThread) => Promise<T>): Promise<T> {
    this.checkOpen();
    const { reader, writer } = this.threads;
    // What is in memory is in one thread alone.
    if (reader === writer) return work(reader);
    const { path, durability } = this;
    const helper = StoreThread.start({ path, durability, readOnly: true }).then((thread) =>
      work(thread).finally(() => thread.close()),
    );
    this.helpers.add(helper);
    return helper.finally(() => this.helpers.delete(helper));
  }

  /** Nothing is written any more: a sync failed. For StoredCollection. */
  refuse(error: Error): void {
    this.threads.writer?.refuse(error);
  }

  /** Where the files of a collection are; undefined in memory. For StoredCollection. */
  folderOf(folder: string): string | undefined {
    return this.path === MEMORY ? undefined : folderPath(this.path, folder);
  }

  /** @throws LeandexError `CLOSED`, `READ_ONLY` */
  checkWritable(): void {
    this.checkOpen();
    if (this.readOnly)
      throw new LeandexError('READ_ONLY', `${this.path} was opened to be read only`);
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw closedError();
  }

  private async callStore<N extends OperationName>(
    name: N,
    args: Arguments<N>,
  ): Promise<Result<N>> {
    this.checkOpen();
    const { writer, reader } = await this.current();
    return (writer ?? reader).call(undefined, name, args);
  }
}

async function startThreads(path: string, options: StoreOptions): Promise<Threads> {
  const { durability = 'always', readOnly = false, pageBytes } = options;
  const shared = { path, durability, ...(pageBytes === undefined ? {} : { pageBytes }) };
  if (readOnly) {
    return { writer: undefined, reader: await StoreThread.start({ ...shared, readOnly }) };
  }
  const writer = await StoreThread.start({ ...shared, readOnly: false });
  if (path === MEMORY) return { writer, reader: writer };
  try {
    return { writer, reader: await StoreThread.start({ ...shared, readOnly: true }) };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Readers first: the writer then has the files to itself, and can put the logs away. */
async function closeThreads({ writer, reader }: Threads): Promise<void> {
  if (reader !== writer) await reader.close().catch(() => {});
  await writer?.close();
}
