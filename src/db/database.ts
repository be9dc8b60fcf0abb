import { checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import { checkFieldSchema, type FieldSchema } from '../filter/field-schema.js';
import type { Staged } from '../store/backup.js';
import { Store } from '../store/store.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { Durability } from '../store/types.js';
import { Collection, closedError } from './collection.js';
import { CollectionCore } from './collection-core.js';
import {
  type CollectionConfig,
  checkName,
  type FieldConfig,
  hasSeveralRows,
  readConfig,
  type SparseVectorConfig,
} from './config.js';

export interface OpenOptions {
  /** Aborts before anything is opened. */
  signal?: AbortSignal | undefined;
  /**
   * What an acknowledged write survives (docs/durability.md): `always`, the default, a power failure;
   * `batched` that but for the last second; `process` the death of the process.
   */
  durability?: Durability | undefined;
  /** Opens beside a process that writes, and follows what it does. Default false. */
  readOnly?: boolean | undefined;
  /** Hears what is worth knowing: an index that had to be built anew. Default: console.warn. */
  onLog?: ((message: string) => void) | undefined;
}

export interface RestoreOptions extends RunOptions {
  /** Whether a collection of this name is replaced. Default false. */
  replace?: boolean | undefined;
}

/** What the catalogue keeps of a collection. */
interface StoredConfig {
  fields: FieldConfig[];
  payloadIndexes: [string, FieldSchema][];
}

const DURABILITIES: readonly Durability[] = ['always', 'batched', 'process'];

/**
 * A folder of collections. One process at a time may write to it, any number may read.
 * All methods throw LeandexError `CLOSED` after close(), those that change something `READ_ONLY`
 * where it was opened so.
 */
export class Database {
  private readonly store: Store;
  private readonly options: Required<Pick<OpenOptions, 'onLog'>> & { readOnly: boolean };
  /** Collections that are open or being opened. */
  private readonly opened = new Map<
    string,
    Promise<{ core: CollectionCore; handle: Collection }>
  >();
  /** Those that are open. */
  private readonly cores = new Set<CollectionCore>();
  /** Those that are being deleted: whoever asks for them waits. */
  private readonly removing = new Map<string, Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(store: Store, options: Database['options']) {
    this.store = store;
    this.options = options;
    this.watch();
  }

  /** @see open */
  static async open(path: string, options: OpenOptions): Promise<Database> {
    const { durability = 'always', readOnly = false, signal } = checkOpen(path, options);
    throwIfAborted(signal);
    const store = await Store.open(path, { durability, readOnly });
    const onLog = safely(options.onLog ?? ((message) => console.warn(`leandex: ${message}`)));
    return new Database(store, { onLog, readOnly });
  }

  /**
   * Makes an empty collection.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `ALREADY_EXISTS`.
   */
  async createCollection(name: string, config: CollectionConfig): Promise<Collection> {
    this.requireWritable();
    checkName('the name of a collection', name);
    const fields = readConfig(config);
    if (this.removing.has(name)) await this.removed(name);
    const kept: StoredConfig = { fields, payloadIndexes: [] };
    const stored = await this.store.create(
      name,
      kept,
      fields.map((field) => ({
        name: field.name,
        size: field.size,
        originals: field.originals,
        ...(hasSeveralRows(field) && { multi: true }),
      })),
    );
    return this.openWith(name, async () => stored, {});
  }

  /**
   * Opens a collection; the same object each time. Its indexes are loaded, or built where they are
   * missing: `onProgress` tells how far.
   * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `ABORTED`.
   */
  async collection(name: string, options: RunOptions = {}): Promise<Collection> {
    this.requireOpen();
    checkName('the name of a collection', name);
    checkOptions('collection', options, ['signal', 'onProgress']);
    if (this.removing.has(name)) await this.removed(name);
    return this.openWith(name, () => this.store.openCollection(name), options);
  }

  private async openWith(
    name: string,
    open: () => Promise<StoredCollection>,
    run: RunOptions,
  ): Promise<Collection> {
    let opening = this.opened.get(name);
    if (opening === undefined) {
      opening = this.load(name, open, run);
      this.opened.set(name, opening);
      opening.catch(() => this.opened.delete(name));
    }
    return (await opening).handle;
  }

  private async load(name: string, open: () => Promise<StoredCollection>, run: RunOptions) {
    const stored = await open();
    const { fields, payloadIndexes } = readStored(stored.config);
    const core = await CollectionCore.open(
      {
        ...this.options,
        onLog: (message) => this.options.onLog(`collection ${name}: ${message}`),
        database: this.store.id,
        name,
        stored,
        configs: fields,
        schemas: new Map(payloadIndexes),
        keepSchemas: (schemas) =>
          this.store.setConfig(name, { fields, payloadIndexes: [...schemas] }),
      },
      run,
    );
    this.cores.add(core);
    return { core, handle: new Collection(name, core) };
  }

  /** Names of the collections, in order. */
  async listCollections(): Promise<string[]> {
    this.requireOpen();
    return (await this.store.collections()).map(({ name }) => name).sort();
  }

  /** Deletes a collection with all its points; false where there is none. */
  async deleteCollection(name: string): Promise<boolean> {
    this.requireWritable();
    checkName('the name of a collection', name);
    if (this.removing.has(name)) await this.removed(name);
    const removal = this.remove(name).finally(() => this.removing.delete(name));
    this.removing.set(
      name,
      removal.catch(() => {}),
    );
    return removal;
  }

  /** Resolves when a collection of this name is not being deleted any more. */
  private async removed(name: string): Promise<void> {
    while (this.removing.has(name)) await this.removing.get(name);
    this.requireOpen();
  }

  private async remove(name: string): Promise<boolean> {
    await this.discard(name);
    return this.store.remove(name);
  }

  /** Closes a collection, whose indexes are not saved. */
  private async discard(name: string): Promise<void> {
    const opened = await this.opened.get(name)?.catch(() => undefined);
    this.opened.delete(name);
    if (opened === undefined) return;
    this.cores.delete(opened.core);
    await opened.core.discard();
  }

  /**
   * Makes a collection of a file that `collection.snapshot()` wrote: every checksum is verified, then
   * its indexes are built. With `replace` it takes the place of the one of this name, at once: until
   * the file is verified, or where anything fails, that one stays.
   * @throws LeandexError `ALREADY_EXISTS`, `CORRUPT`, `UNSUPPORTED_VERSION`.
   */
  async restoreCollection(
    name: string,
    file: string,
    options: RestoreOptions = {},
  ): Promise<Collection> {
    this.requireWritable();
    checkName('the name of a collection', name);
    checkOptions('restoreCollection', options, ['signal', 'onProgress', 'replace']);
    const { replace = false, ...run } = options;
    if (typeof replace !== 'boolean') throw wrongType('replace', 'a boolean', replace);
    if (this.removing.has(name)) await this.removed(name);
    const stored = replace
      ? await this.replaceBy(name, await this.store.stage(file, run))
      : await this.store.restore(name, file, run);
    return this.openWith(name, async () => stored, run);
  }

  private async replaceBy(name: string, staged: Staged): Promise<StoredCollection> {
    if (this.removing.has(name)) await this.removed(name);
    const replacing = this.discard(name)
      .then(() => this.store.replace(name, staged))
      .finally(() => this.removing.delete(name));
    this.removing.set(
      name,
      replacing.catch(() => {}),
    );
    return replacing;
  }

  /**
   * Reads everything that is stored and verifies it: SQLite's own structures, the checksum of every
   * row, the count and digest of every collection.
   * @throws LeandexError `CORRUPT` with the file and the place of the first damage.
   */
  async verify(options: RunOptions = {}): Promise<{ collections: Record<string, number> }> {
    this.requireOpen();
    checkOptions('verify', options, ['signal', 'onProgress']);
    const points: Record<string, number> = {};
    for (const { name } of await this.store.collections()) {
      throwIfAborted(options.signal);
      const stored = await this.store.openCollection(name);
      points[name] = (await stored.verify(options)).points;
    }
    return { collections: points };
  }

  /** Waits for the writes under way, saves the indexes and closes the files. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    const closing = Array.from(this.cores, (core) => core.close());
    await Promise.allSettled(this.opened.values());
    // Also those that were still being opened.
    await Promise.allSettled([...closing, ...Array.from(this.cores, (core) => core.close())]);
    await this.store.close();
  }

  private watch(): void {
    void this.store.lost.then((cause) => this.recover(cause));
  }

  /** A thread of the store died: another takes its place, and memory is compared with the store. */
  private async recover(cause: Error): Promise<void> {
    if (this.closing !== undefined) return;
    for (const core of this.cores) core.noteLoss();
    this.options.onLog(`a thread of the store was lost and is replaced: ${cause.message}`);
    try {
      await this.store.restart();
      this.watch();
      for (const core of this.cores) await core.recover();
    } catch (error) {
      for (const core of this.cores) core.fail(error);
    }
  }

  private requireOpen(): void {
    if (this.closing !== undefined) throw closedError('the database');
  }

  private requireWritable(): void {
    this.requireOpen();
    if (!this.options.readOnly) return;
    throw new LeandexError('READ_ONLY', 'the database was opened to be read only');
  }
}

/** A listener that fails must end nothing that goes on in the background. */
function safely(onLog: (message: string) => void): (message: string) => void {
  return (message) => {
    try {
      onLog(message);
    } catch {
      // There is nowhere left to tell it.
    }
  };
}

function checkOpen(path: unknown, options: OpenOptions): OpenOptions {
  if (typeof path !== 'string') throw wrongType('path', 'a folder, or ":memory:"', path);
  if (path === '' || path.includes('\0')) throw outOfRange('path', 'a folder, or ":memory:"', path);
  checkOptions('the options of open', options, ['durability', 'readOnly', 'onLog', 'signal']);
  const { durability, readOnly, onLog } = options;
  if (durability !== undefined) checkOneOf('durability', durability, DURABILITIES);
  if (readOnly !== undefined && typeof readOnly !== 'boolean') {
    throw wrongType('readOnly', 'a boolean', readOnly);
  }
  if (onLog !== undefined && typeof onLog !== 'function')
    throw wrongType('onLog', 'a function', onLog);
  return options;
}

/** The catalogue's rows have checksums; this tells apart what another version may have written. */
function readStored(config: unknown): StoredConfig {
  const { fields, payloadIndexes } = (config ?? {}) as Partial<StoredConfig>;
  try {
    const named = Object.fromEntries(fields!.map(({ name, ...rest }) => [name, givenOf(rest)]));
    const isSingle = fields!.length === 1 && fields![0]!.name === '';
    for (const [, schema] of payloadIndexes!) checkFieldSchema('schema', schema);
    return {
      fields: readConfig({ vectors: isSingle ? named[''] : named }),
      payloadIndexes: payloadIndexes!,
    };
  } catch (cause) {
    throw new LeandexError('CORRUPT', 'the settings of the collection are not valid', { cause });
  }
}

/** The settings of a vector as they were given. */
function givenOf(config: Omit<FieldConfig, 'name'>): object {
  const { sparse } = config as Partial<SparseVectorConfig>;
  return sparse === undefined ? config : { sparse };
}
