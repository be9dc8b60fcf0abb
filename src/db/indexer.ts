import { Random } from '../base/random.js';
import { type Progress, type RunOptions, throwIfAborted } from '../base/steps.js';
import type { Bitmap } from '../filter/bitmap.js';
import type { LeanIndex } from '../graph/lean-index.js';
import { resolveOptions, type WriteOptions } from '../graph/options.js';
import type { StoredCollection } from '../store/stored-collection.js';
import { BACKGROUND_THREADS } from './background.js';
import { Drift } from './drift.js';
import type { FieldStore, Filler, GraphField, IndexRows } from './field.js';
import { addFitting, deleteInParts, spacedRows } from './index-rows.js';
import { freshRowsMax, type RowIndex } from './row-index.js';
import { trainApart } from './training.js';

/** New vectors are moved into the graph once there are so many: a scan of them takes some 0.2 ms. */
const MOVE_AT = 2048;
/** Bytes of the vectors that are read and linked at once. */
const CHUNK_BYTES = 1 << 27;
/** Rows whose missed energy is looked at in each chunk. */
const DRIFT_ROWS = 64;
/** A sample of so many rows a dimension is enough for good; a smaller one is until four times as many are there. */
const SAMPLE_EACH = 8;
const SAMPLE_MAX = 16_384;
const GROWTH = 4;

/** What the indexer needs of its collection. */
export interface IndexerHost {
  stored: StoredCollection;
  /** Rows that have this field and live. */
  rowsOf: (field: number) => Bitmap;
  /** Something was moved: a good time to save. */
  onMoved: () => void;
  onLog: (message: string) => void;
}

/**
 * Moves the new vectors of one field into its graph, trains the graph when there are enough, and
 * builds it anew when the data no longer look like what it was trained on. One task at a time; the
 * old graph serves until the new one is whole.
 */
export class Indexer implements Filler {
  /** Of the present graph. */
  drift = new Drift();
  /** What is being done. */
  progress: Progress | undefined;
  readonly field: GraphField;
  private readonly index: RowIndex;
  /** Of the field. */
  readonly number: number;
  private readonly host: IndexerHost;
  private readonly stored: FieldStore;
  /** Rows that the graph's codes cannot hold: far longer than what it was trained on. */
  private readonly kept = new Set<number>();
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;
  private failure: unknown;
  private readonly onStep: (() => void)[] = [];

  constructor(field: GraphField, number: number, host: IndexerHost) {
    this.field = field;
    this.index = field.index;
    this.number = number;
    this.host = host;
    this.stored = {
      read: (rows) => host.stored.readVectors(number, rows),
      has: (row) => host.rowsOf(number).has(row),
    };
  }

  /** New vectors that are still to be moved. */
  get waiting(): number {
    const { fresh } = this.index;
    for (const row of this.kept) if (!fresh.has(row)) this.kept.delete(row);
    return fresh.count - this.kept.size;
  }

  get isWorking(): boolean {
    return this.running !== undefined;
  }

  /** Why the last task failed; the vectors are then searched exactly. */
  get error(): unknown {
    return this.failure;
  }

  /** Starts moving, in the background, if there is enough to move. */
  schedule(): void {
    if (this.running !== undefined || this.ending.signal.aborted || !this.isDue()) return;
    const options = { signal: this.ending.signal, threads: BACKGROUND_THREADS };
    this.running = this.work(() => this.isDue(), options)
      .then(() => {
        this.failure = undefined;
      })
      .catch((error: unknown) => {
        if (this.ending.signal.aborted) return;
        this.failure = error;
        this.host.onLog(`indexing stopped: ${(error as Error).message}`);
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Moves everything, trains anew where that is due, mends the graph. */
  async finish(options: RunOptions): Promise<void> {
    const signal = AbortSignal.any([
      this.ending.signal,
      ...(options.signal ? [options.signal] : []),
    ]);
    while (this.running !== undefined) await this.running;
    // What comes meanwhile need not be moved: it may never end.
    const last = this.index.fresh.ids().at(-1) ?? -1;
    const task = this.work(
      () => this.isGraphWanted() && (this.hasWaiting(last) || this.isRetrainingDue()),
      { ...options, signal },
    );
    this.running = task
      .catch(() => {})
      .then(() => {
        this.running = undefined;
      });
    await task;
    await this.index.graph?.compact({ signal });
  }

  /**
   * Takes in stored vectors that no index has: what opening a collection finds after a crash, or
   * without its saved graph. They are compared exactly until the graph has them, which is only waited
   * for where they are too many for that.
   */
  async take(rows: Uint32Array, options: RunOptions): Promise<void> {
    const { index } = this;
    if (rows.length === 0) return;
    if (this.isGraphWanted(rows.length) && rows.length >= MOVE_AT) {
      this.host.onLog(`${rows.length} vectors have no place in a graph yet: they are given one`);
    }
    // A task that is under way takes in what few there are as it does what is written.
    const isTooMany = index.fresh.count + rows.length > freshRowsMax(index.config.size);
    if (isTooMany) {
      await this.idle();
      if (index.graph === undefined && this.isGraphWanted(rows.length))
        return this.rebuild(options);
    }
    const atOnce = this.rowsAtOnce();
    for (let from = 0; from < rows.length; from += atOnce) {
      throwIfAborted(options.signal);
      const chunk = rows.subarray(from, from + atOnce);
      if (isTooMany && index.graph !== undefined) {
        await this.insert(index.graph, chunk, this.drift, options);
        index.stamp++;
      } else {
        const found = await this.read(chunk, options);
        await index.add(found.rows, found.vectors);
      }
    }
  }

  /** Resolves when the next vectors have been moved, or nothing is under way. */
  step(): Promise<void> {
    if (this.running === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.onStep.push(resolve);
    });
  }

  private stepped(): void {
    for (const resolve of this.onStep.splice(0)) resolve();
  }

  /** Resolves when a task that is under way has ended. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** Ends what is under way; nothing is lost by that. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** Whether rows up to one are still to be moved. */
  private hasWaiting(last: number): boolean {
    return this.index.fresh.ids().some((row) => row <= last && !this.kept.has(row));
  }

  private isGraphWanted(coming = 0): boolean {
    const { graph, count, config } = this.index;
    const { exactBelow } = resolveOptions({ ...config.index, dimensions: config.size });
    return graph !== undefined || count + coming >= Math.max(1, exactBelow);
  }

  private isDue(): boolean {
    if (!this.isGraphWanted()) return false;
    return this.index.graph === undefined || this.waiting >= MOVE_AT || this.isRetrainingDue();
  }

  private isRetrainingDue(): boolean {
    const { graph, config } = this.index;
    if (graph === undefined) return false;
    const wanted = Math.min(SAMPLE_MAX, SAMPLE_EACH * config.size);
    const hasOutgrown =
      this.drift.trainedOn < wanted && graph.count >= GROWTH * this.drift.trainedOn;
    return hasOutgrown || this.drift.isTooFar;
  }

  private async work(isDue: () => boolean, options: WriteOptions): Promise<void> {
    const onProgress = (progress: Progress) => {
      this.progress = progress;
      options.onProgress?.(progress);
    };
    try {
      while (isDue()) {
        throwIfAborted(options.signal);
        if (this.index.graph === undefined || this.isRetrainingDue()) {
          await this.rebuild({ ...options, onProgress });
        } else {
          await this.moveChunk({ ...options, onProgress });
        }
        this.stepped();
        this.host.onMoved();
      }
    } finally {
      this.progress = undefined;
      this.stepped();
    }
  }

  /** Moves the oldest of the new vectors into the graph. */
  private async moveChunk(options: WriteOptions): Promise<void> {
    const { fresh, graph } = this.index;
    const rows = fresh.ids().filter((row) => !this.kept.has(row));
    const chunk = rows.subarray(0, this.rowsAtOnce());
    await this.insert(graph!, chunk, this.drift, options);
    // Those that the store has no more are found until the write that ended them is applied.
    for (const row of chunk) if (!graph!.has(row)) this.kept.add(row);
    const moved = chunk.filter((row) => fresh.has(row) && !this.kept.has(row));
    this.index.stamp++;
    this.index.moves++;
    await deleteInParts(fresh, moved);
  }

  /** Reads stored vectors and links them; those of them that end meanwhile end in the graph too. */
  private async insert(
    graph: LeanIndex,
    chunk: Uint32Array,
    drift: Drift,
    options: WriteOptions,
  ): Promise<void> {
    const { fresh, config } = this.index;
    const { rows, vectors } = await this.read(chunk, options);
    for (const place of await addFitting(graph, rows, vectors, options)) {
      const row = rows.subarray(place, place + 1);
      this.kept.add(row[0]!);
      const vector = vectors.subarray(place * config.size, (place + 1) * config.size);
      if (!fresh.has(row[0]!)) await this.index.add(row, vector);
    }
    this.noteDrift(graph, vectors, drift);
    const live = this.host.rowsOf(this.number);
    const ended = rows.filter((row) => !live.has(row) && graph.has(row));
    if (ended.length > 0) await graph.delete(ended);
  }

  /** Trains a graph on a sample of all there is, builds it, and puts it in the place of the old one. */
  private async rebuild(options: WriteOptions): Promise<void> {
    const { fresh, graph: old } = this.index;
    const { size, distance, index } = this.index.config;
    const all = this.host.rowsOf(this.number).toUint32Array();
    const sample = await this.readSample(all, options);
    if (sample.length === 0) return; // All were deleted before they could be read.
    const graph = await trainApart(sample, { ...index, dimensions: size, distance }, options);
    this.kept.clear();
    // The old graph keeps its own until the end, which may be an abort.
    const drift = new Drift();
    drift.begin(all.length);
    try {
      const atOnce = this.rowsAtOnce();
      for (let from = 0; from < all.length; from += atOnce) {
        await this.insert(graph, all.subarray(from, from + atOnce), drift, {
          ...options,
          onProgress: ({ phase, done }) =>
            options.onProgress?.({ phase, done: from + done, total: all.length }),
        });
      }
    } catch (error) {
      await graph.close();
      throw error;
    }
    drift.settle();
    this.drift = drift;
    this.swap(graph);
    await deleteInParts(
      fresh,
      fresh.ids().filter((row) => graph.has(row)),
    );
    await old?.close();
  }

  private swap(graph: LeanIndex): void {
    const live = this.host.rowsOf(this.number);
    const ended = graph.ids().filter((row) => !live.has(row));
    if (ended.length > 0) void graph.delete(ended).catch(() => {});
    this.index.graph = graph;
    this.index.stamp++;
    this.index.moves++;
  }

  /** A seeded choice of rows to train on. */
  private async readSample(all: Uint32Array, options: RunOptions): Promise<Float32Array> {
    const { config } = this.index;
    const most = Math.max(8192, Math.min(SAMPLE_MAX, SAMPLE_EACH * config.size));
    let chosen = all;
    if (all.length > most) {
      const order = new Random(config.index.seed ?? 1).permutation(all.length);
      chosen = order
        .subarray(0, most)
        .map((place) => all[place]!)
        .sort();
    }
    return (await this.read(chosen, options)).vectors;
  }

  private read(rows: Uint32Array, { signal }: RunOptions): Promise<IndexRows> {
    return this.field.read(rows, this.stored, signal);
  }

  private noteDrift(graph: LeanIndex, vectors: Float32Array, drift: Drift): void {
    if (vectors.length === 0) return;
    const missed = graph.energyMissed(spacedRows(vectors, this.index.config.size, DRIFT_ROWS)) ?? 0;
    drift.add(vectors.length / this.index.config.size, missed);
  }

  private rowsAtOnce(): number {
    return Math.max(1024, Math.floor(CHUNK_BYTES / (4 * this.index.config.size)));
  }
}
