import { checkRows, checkVector } from '../base/check.js';
import type { Distance } from '../base/distance.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import { type RunOptions, runSteps, type Steps } from '../base/steps.js';
import type { KernelVariant } from '../kernels/index.js';
import { type IndexModel, modelSteps } from '../quant/model.js';
import { insertSteps, storeSteps } from './build.js';
import { NodeMemory } from './memory.js';
import {
  checkRunOptions,
  type LeanIndexOptions,
  type ResolvedOptions,
  resolveOptions,
  resolveSearch,
  type SearchOptions,
} from './options.js';
import { checkRowValues, requireUnchanged } from './rows.js';
import { type BatchSearchResult, type SearchResult, searchNodes } from './search.js';
import { readIndex, writeIndex } from './snapshot.js';
import { type IndexStats, indexStats } from './stats.js';

/**
 * An index in memory: vectors go in as float32 rows, are projected, quantized and linked into an
 * HNSW graph, and are searched there, all inside WebAssembly. Rows are numbered from 0 in the order
 * in which they are added. Small indexes are kept as float32 and scanned exactly.
 */
export class LeanIndex {
  private readonly options: ResolvedOptions;
  private model: IndexModel | undefined;
  private nodes: NodeMemory;
  private size: number;
  /** The adds under way, one after the other. */
  private writing: Promise<unknown> = Promise.resolve();
  private pendingWrites = 0;

  private constructor(
    options: ResolvedOptions,
    model: IndexModel | undefined,
    nodes = emptyNodes(options, model, 0),
    size = 0,
  ) {
    this.options = options;
    this.model = model;
    this.nodes = nodes;
    this.size = size;
  }

  /**
   * Builds an index of vectors: a Float32Array of n rows of `dimensions` numbers, any n ≥ 0.
   * Works in slices of a few milliseconds, so the event loop stays free.
   * @throws TypeError, RangeError for wrong options or input (code `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`); LeandexError `ABORTED`, `RESOURCE_EXHAUSTED`, `UNSUPPORTED`.
   */
  static async build(
    vectors: Float32Array,
    options: LeanIndexOptions & RunOptions,
  ): Promise<LeanIndex> {
    const resolved = resolveOptions(options);
    checkRows('vectors', vectors, resolved.dimensions);
    const index = new LeanIndex(resolved, undefined);
    await index.add(vectors, runOptions(options));
    return index;
  }

  /**
   * Trains projection and codes on a sample of rows (n ≥ 1) and gives an empty index; add() then
   * encodes and links vectors without training again. Errors as for build().
   */
  static async train(
    sample: Float32Array,
    options: LeanIndexOptions & RunOptions,
  ): Promise<LeanIndex> {
    const resolved = resolveOptions(options);
    if (checkRows('sample', sample, resolved.dimensions) === 0) {
      throw outOfRange('sample', 'at least one row', sample);
    }
    return runSteps(LeanIndex.trainSteps(sample, resolved), runOptions(options));
  }

  /**
   * Adds rows and resolves to their row numbers. All or nothing: an error or an abort leaves the
   * index as it was. Searches go on meanwhile and may already return the first of the new rows. The
   * array is read until then: do not change it.
   * Errors as for build().
   */
  async add(vectors: Float32Array, options: RunOptions = {}): Promise<Uint32Array> {
    checkRunOptions(options);
    checkRows('vectors', vectors, this.options.dimensions);
    const { length } = vectors;
    this.pendingWrites++;
    const previous = this.writing;
    const mine = previous
      .catch(() => {})
      .then(() => runSteps(this.addSteps(vectors, length), options));
    this.writing = mine;
    try {
      return await mine;
    } finally {
      this.pendingWrites--;
    }
  }

  private *addSteps(vectors: Float32Array, length: number): Steps<Uint32Array> {
    const { options } = this;
    requireUnchanged(vectors, length);
    const first = this.size;
    const count = vectors.length / options.dimensions;
    yield* checkRowValues(vectors, this.nodes.layout);
    if (this.model !== undefined) {
      yield* insertSteps(this.nodes, { ...options, vectors, firstId: first });
    } else if (first + count < options.exactBelow || first + count === 0) {
      yield* storeSteps(this.nodes, vectors, first);
    } else {
      yield* this.becomeGraph(vectors);
    }
    this.size = first + count;
    return Uint32Array.from({ length: count }, (_, i) => first + i);
  }

  /** Trains on everything, stored and new, and builds the graph beside the exact store. */
  private *becomeGraph(vectors: Float32Array): Steps<void> {
    const all = this.size === 0 ? vectors : this.withStored(vectors);
    const model = yield* modelSteps(all, this.options);
    const nodes = emptyNodes(this.options, model, all.length / this.options.dimensions);
    yield* checkRowValues(all, nodes.layout);
    yield* insertSteps(nodes, { ...this.options, vectors: all, firstId: 0 });
    this.model = model;
    this.nodes = nodes;
  }

  private withStored(vectors: Float32Array): Float32Array {
    const { dimensions } = this.options;
    const all = new Float32Array(this.size * dimensions + vectors.length);
    for (let id = 0; id < this.size; id++) {
      const at = this.nodes.secondaryOf(id);
      all.set(this.nodes.kernels.f32(at, dimensions), id * dimensions);
    }
    all.set(vectors, this.size * dimensions);
    return all;
  }

  /**
   * The k nearest of a query of `dimensions` numbers, best first; all there are where k is larger.
   * @throws TypeError, RangeError for a wrong length, NaN, k below 1, or unknown options.
   */
  search(query: Float32Array, k: number, options: SearchOptions = {}): SearchResult {
    checkVector('query', query, this.options.dimensions);
    const plan = resolveSearch(k, options, this.size);
    const { ids, scores } = searchNodes(this.nodes, this.size, query, plan);
    return { ids, scores };
  }

  /**
   * The k nearest of each of m queries (m x dimensions, row-major): ids and scores are m x k',
   * where k' = min(k, count). Errors as for search().
   */
  searchBatch(queries: Float32Array, k: number, options: SearchOptions = {}): BatchSearchResult {
    checkRows('queries', queries, this.options.dimensions);
    return searchNodes(this.nodes, this.size, queries, resolveSearch(k, options, this.size));
  }

  /** Number of vectors. */
  get count(): number {
    return this.size;
  }

  get dimensions(): number {
    return this.options.dimensions;
  }

  get distance(): Distance {
    return this.options.distance;
  }

  /** Which instructions the kernels use here. */
  get kernel(): KernelVariant {
    return this.nodes.kernels.variant;
  }

  /** Sizes and settings, measured from what the index holds. */
  stats(): IndexStats {
    return indexStats({ ...this.content(), kernel: this.kernel });
  }

  /**
   * The whole index as bytes, with checksums; the same index gives the same bytes.
   * @throws LeandexError `BUSY` while an add is under way.
   */
  toBytes(): Uint8Array {
    if (this.pendingWrites > 0) {
      throw new LeandexError('BUSY', 'an add is under way: await it before toBytes()');
    }
    return writeIndex(this.content());
  }

  /**
   * The index that toBytes() wrote, verified throughout.
   * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT` for damaged bytes,
   * `UNSUPPORTED_VERSION` for those of a newer leandex.
   */
  static fromBytes(bytes: Uint8Array): LeanIndex {
    const { options, model, nodes, count } = readIndex(bytes);
    return new LeanIndex(options, model, nodes, count);
  }

  private static *trainSteps(sample: Float32Array, options: ResolvedOptions): Steps<LeanIndex> {
    yield* checkRowValues(sample, { ...options, model: undefined });
    return new LeanIndex(options, yield* modelSteps(sample, options));
  }

  private content() {
    return { options: this.options, model: this.model, nodes: this.nodes, count: this.size };
  }
}

function emptyNodes(
  { dimensions, distance, m }: ResolvedOptions,
  model: IndexModel | undefined,
  expected: number,
): NodeMemory {
  return new NodeMemory({ dimensions, distance, m, model }, expected);
}

function runOptions({ onProgress, signal }: RunOptions): RunOptions {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}
