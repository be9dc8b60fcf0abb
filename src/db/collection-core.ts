import { LeandexError } from '../base/errors.js';
import {
  type Progress,
  type RunOptions,
  runSteps,
  throwIfAborted,
  turnIfDue,
} from '../base/steps.js';
import { checkFieldSchema, type FieldSchema } from '../filter/field-schema.js';
import { parsePath, pathText } from '../filter/path.js';
import { PayloadIndexes } from '../filter/payload-indexes.js';
import type { LeanIndex } from '../graph/lean-index.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { TextIndexOptions } from '../store/text-tables.js';
import type { SaveContext } from './cache-files.js';
import { addPayloads, catchUp } from './catch-up.js';
import type { FieldConfig } from './config.js';
import type { Field, Filler } from './field.js';
import { Filtering } from './filtering.js';
import { Indexer } from './indexer.js';
import { MultiField } from './multi-field.js';
import { openField } from './open-field.js';
import { saveTokens } from './saved-tokens.js';
import { loadPayloadIndexes, saveGraph, savePayloadIndexes } from './saving.js';
import type { SearchContext } from './search-plan.js';
import { SparseField } from './sparse-field.js';
import { CollectionState } from './state.js';
import { TextIndexes } from './text-indexes.js';
import { WriteLine } from './write-line.js';
import type { WriteContext } from './writing.js';

/** Indexes are saved in the background once so many rows, or so large a share, have been moved. */
const SAVE_ROWS_MIN = 20_000;
const SAVE_SHARE = 0.25;
/** Smaller payload indexes are made anew on opening. */
const SAVED_PAYLOADS_MIN = 5_000;

/** What a collection is given by its database. */
export interface CoreOptions extends SaveContext {
  name: string;
  configs: readonly FieldConfig[];
  schemas: ReadonlyMap<string, FieldSchema>;
  /** Keeps the schemas of the payload indexes. */
  keepSchemas: (schemas: ReadonlyMap<string, FieldSchema>) => Promise<void>;
}

/**
 * The one place where the store of a collection and its indexes in memory meet: it opens and saves
 * them, lets writes through one after the other, and keeps the indexers going.
 */
export class CollectionCore {
  readonly stored: StoredCollection;
  readonly state: CollectionState;
  /** Of the fields with a graph. */
  readonly indexers: readonly Indexer[];
  /** For each field what fills it with stored rows. */
  private readonly fillers: readonly Filler[];
  private readonly options: CoreOptions;
  private readonly filtering: Filtering;
  private readonly line = new WriteLine();
  private readonly texts: TextIndexes;
  private following: Promise<void> | undefined;
  private dataVersion = -1;
  private saving: Promise<void> = Promise.resolve();
  /** Rows in the graphs when they were saved last. */
  private savedRows: number[];
  private savedVersion = -1;
  /** The last version before a loss that all of is known of. */
  private knownVersion: number | undefined;
  private closing: Promise<void> | undefined;
  private failure: LeandexError | undefined;
  /** False once the collection is being deleted. */
  private isKept = true;

  private constructor(options: CoreOptions, state: CollectionState) {
    this.options = options;
    this.stored = options.stored;
    this.state = state;
    this.texts = new TextIndexes(this.stored);
    this.filtering = new Filtering(state, this.stored, () => this.settled());
    this.savedRows = this.graphRows();
    this.fillers = state.fields.map((field, number) =>
      field instanceof SparseField
        ? field.filler((rows) => this.stored.readVectors(number, rows))
        : new Indexer(field, number, {
            stored: this.stored,
            rowsOf: (of) => state.fieldRows[of]!,
            onMoved: () => this.saveIfDue(),
            onLog: options.onLog,
          }),
    );
    this.indexers = this.fillers.filter((filler) => filler instanceof Indexer);
  }

  /** Loads what was saved of the indexes, and brings it up to what is stored. */
  static async open(options: CoreOptions, run: RunOptions): Promise<CollectionCore> {
    const { configs, schemas, stored } = options;
    const fields: Field[] = [];
    const drifts: Readonly<Record<string, unknown>>[] = [];
    try {
      for (const [number, config] of configs.entries()) {
        const { field, meta } = await openField(options, config, number, run);
        drifts.push(meta);
        fields.push(field);
      }
      const payloads = await loadPayloadIndexes(options, schemas);
      const state = new CollectionState(fields);
      state.indexes = payloads.indexes;
      state.version = payloads.version;
      state.nextRow = payloads.nextRow;
      for (const [number, field] of fields.entries()) {
        const graph = graphOf(field);
        if (graph !== undefined) state.fieldRows[number]!.addMany(graph.ids());
      }
      const core = new CollectionCore(options, state);
      for (const { drift, number } of core.indexers) drift.restore(drifts[number]!);
      if (!options.readOnly) await core.texts.dropUnfinished();
      if (options.readOnly) core.dataVersion = await stored.dataVersion();
      await catchUp(state, core.fillers, stored, run);
      const saved = drifts.map(({ version }) => version);
      if (core.savesPayloads) saved.push(payloads.version);
      if (saved.every((version) => version === undefined || version === state.version)) {
        core.savedVersion = state.version;
      }
      for (const indexer of core.indexers) indexer.schedule();
      return core;
    } catch (error) {
      await Promise.allSettled(fields.map((field) => field.close()));
      throw error;
    }
  }

  /** For reads: up to date with another process's writes where this one cannot write. */
  async reading(): Promise<SearchContext> {
    this.requireUsable();
    // What is answered from memory resolves at once, and would never let the event loop turn.
    await turnIfDue();
    if (this.options.readOnly) await this.follow();
    return {
      state: this.state,
      stored: this.stored,
      filtering: this.filtering,
      settled: () => this.settled(),
      quietly: (read) => (this.options.readOnly ? read() : this.exclusively(read)),
    };
  }

  /** Resolves when memory knows of all that is committed now. */
  private settled(): Promise<void> {
    return this.options.readOnly ? this.follow() : this.line.applying();
  }

  /** For writes. */
  writing(): WriteContext {
    this.requireWritable();
    return {
      state: this.state,
      stored: this.stored,
      filtering: this.filtering,
      indexers: this.indexers,
      line: this.line,
      requireWritable: () => this.requireWritable(),
      onLostStep: (cause) => this.fail(cause),
      onWritten: () => {
        for (const indexer of this.indexers) indexer.schedule();
      },
    };
  }

  private requireUsable(): void {
    if (this.closing !== undefined) {
      const end = this.isKept ? 'closed' : 'deleted';
      throw new LeandexError('CLOSED', `the collection ${this.options.name} is ${end}`);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private requireWritable(): void {
    this.requireUsable();
    if (!this.options.readOnly) return;
    throw new LeandexError('READ_ONLY', 'the database was opened to be read only');
  }

  /** What is committed can no longer be followed in memory; nothing may go on as if it were. */
  fail(cause: unknown): void {
    const problem =
      'memory could not follow what was committed: close the database and open it again';
    this.failure ??= new LeandexError('INTERNAL', `${problem} (${(cause as Error).message})`, {
      cause,
    });
  }

  /** Takes in what another process has written since the last look. */
  private follow(): Promise<void> {
    this.following ??= this.lookForChanges().finally(() => {
      this.following = undefined;
    });
    return this.following;
  }

  private async lookForChanges(): Promise<void> {
    const version = await this.stored.dataVersion();
    if (version === this.dataVersion) return;
    await catchUp(this.state, this.fillers, this.stored);
    this.dataVersion = version;
    for (const indexer of this.indexers) indexer.schedule();
  }

  /** Writes of which nobody knows whether they were committed have later versions than now. */
  noteLoss(): void {
    this.knownVersion ??= this.state.version;
  }

  /** The store's threads were lost and are back: what they had committed last is not known. */
  async recover(): Promise<void> {
    if (this.closing !== undefined) return;
    try {
      await this.exclusively(async () => {
        await catchUp(this.state, this.fillers, this.stored, {}, this.knownVersion);
        this.knownVersion = undefined;
      });
    } catch (cause) {
      this.fail(cause);
    }
  }

  /** Runs while no write is under way; those that come meanwhile wait. */
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.line.run({
      isDependent: true,
      prepare: work,
      send: (result: T) => Promise.resolve(result),
      apply: (result) => result,
    });
  }

  async createPayloadIndex(field: string, schema: FieldSchema, run: RunOptions): Promise<void> {
    this.requireWritable();
    const name = pathText(parsePath('field', field));
    const checked = checkFieldSchema('schema', schema);
    throwIfAborted(run.signal);
    await this.exclusively(async () => {
      const { state, stored } = this;
      const known = state.indexes.schemas.get(name);
      if (known !== undefined && JSON.stringify(known) === JSON.stringify(checked)) return;
      const built = new PayloadIndexes();
      built.create(name, checked);
      await addPayloads(built, stored, state.live.toUint32Array(), run);
      await this.options.keepSchemas(new Map([...state.indexes.schemas, [name, checked]]));
      state.indexes.drop(name);
      state.indexes.adopt(built);
      state.stamp++;
    });
  }

  async deletePayloadIndex(field: string): Promise<boolean> {
    this.requireWritable();
    const name = pathText(parsePath('field', field));
    return this.exclusively(async () => {
      const { indexes } = this.state;
      if (!indexes.schemas.has(name)) return false;
      await this.options.keepSchemas(
        new Map([...indexes.schemas].filter(([other]) => other !== name)),
      );
      this.state.stamp++;
      return indexes.drop(name);
    });
  }

  async createTextIndex(field: string, given: TextIndexOptions, run: RunOptions): Promise<void> {
    this.requireWritable();
    await this.texts.create(field, given, run);
  }

  async deleteTextIndex(field: string): Promise<boolean> {
    this.requireWritable();
    return this.texts.delete(field);
  }

  async optimize(run: RunOptions): Promise<void> {
    this.requireWritable();
    await this.line.settled();
    for (const indexer of this.indexers) await indexer.finish(run);
    throwIfAborted(run.signal);
    await this.stored.reclaim();
    await this.save(run.onProgress);
  }

  private graphRows(): number[] {
    return this.state.fields.map((field) => graphOf(field)?.count ?? 0);
  }

  private saveIfDue(): void {
    const isDue = this.state.fields.some((field, i) => {
      const graph = graphOf(field);
      if (graph === undefined) return false;
      const moved = Math.abs(graph.count - this.savedRows[i]!);
      return moved >= Math.max(SAVE_ROWS_MIN, SAVE_SHARE * graph.count);
    });
    if (!isDue || this.closing !== undefined) return;
    this.save().catch((error: unknown) => {
      this.options.onLog(`the indexes were not saved: ${(error as Error).message}`);
    });
  }

  /** Whether it is worth a file to have the payload indexes at once the next time. */
  private get savesPayloads(): boolean {
    return this.state.indexes.schemas.size > 0 && this.state.count >= SAVED_PAYLOADS_MIN;
  }

  /** Saves the indexes, one save at a time. */
  private save(onProgress?: (progress: Progress) => void): Promise<void> {
    const mine = this.saving.catch(() => {}).then(() => this.saveNow(onProgress));
    this.saving = mine;
    return mine;
  }

  private async saveNow(onProgress?: (progress: Progress) => void): Promise<void> {
    const { options, state } = this;
    if (options.readOnly || this.stored.folder === undefined) return;
    this.savedRows = this.graphRows();
    for (const indexer of this.indexers) {
      const { field, number } = indexer;
      const drift = () => indexer.drift;
      await saveGraph(options, state, indexer, drift, onProgress ? { onProgress } : {});
      if (field instanceof MultiField && field.index.graph !== undefined) {
        await saveTokens(options, field, number);
      }
    }
    await this.exclusively(async () => {
      const { indexes, live } = state;
      this.savedVersion = state.version;
      if (!this.savesPayloads) return;
      await runSteps(indexes.forgettingAllBut(live));
      await savePayloadIndexes(options, state);
    });
  }

  /** Ends what is under way, saves the indexes, gives the memory free. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** The same for a collection that is being deleted. */
  discard(): Promise<void> {
    this.isKept = false;
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.texts.close();
    await this.line.settled();
    for (const indexer of this.indexers) await indexer.close();
    await this.following?.catch(() => {});
    await this.saving.catch(() => {});
    try {
      // A graph may have been built without a write: the saved one was missing or damaged.
      const hasGrown = this.graphRows().some((rows, i) => rows !== this.savedRows[i]);
      const hasChanged = hasGrown || this.state.version !== this.savedVersion;
      if (this.isKept && hasChanged && this.failure === undefined) await this.save();
    } catch (error) {
      this.options.onLog(`the indexes were not saved: ${(error as Error).message}`);
    }
    await this.state.close();
  }
}

/** Undefined where there is none, or not yet. */
function graphOf(field: Field): LeanIndex | undefined {
  return field instanceof SparseField ? undefined : field.index.graph;
}
