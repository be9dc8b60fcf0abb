import type { Rows } from '../datasets/elements.js';
import type { Distance } from '../src/base/distance.js';

/** Settings as a case names them and a result repeats them: an object that JSON can hold. */
export type Settings = object;

/** What an index is made for; known before any vector. */
export interface EngineContext<IndexSettings = Settings, SearchSettings = Settings> {
  readonly dimensions: number;
  readonly distance: Distance;
  /** Shapes the index. */
  readonly settings: IndexSettings;
  /** Goes with every search, besides the beam width. */
  readonly search: SearchSettings;
  /** The beam widths to come, for engines that fix theirs when they build. */
  readonly efs: readonly number[];
  /** Threads that a build and a search of many queries may use. */
  readonly threads: number;
  /** The rows that each filter to come allows, for engines that store with a vector what filters ask for. */
  readonly filters: readonly Uint32Array[];
  /** An empty folder for this contender alone, gone after the run. */
  readonly scratch: string;
}

/** Searches the query of that row; what it needs for that is prepared beforehand. */
export interface Searcher<Answer = unknown> {
  search(query: number): Answer;
  /** The row numbers in an answer, best first; called outside of the clock. */
  idsOf(answer: Answer): ArrayLike<number>;
}

/** What a build cost, without the preparation of its input. */
export interface BuildCost {
  readonly seconds: number;
  readonly threads: number;
}

/** Bytes a vector by part, of all that a search touches. */
export type BytesPerVector = Readonly<Record<string, number>> & { readonly total: number };

export interface EngineDescription {
  readonly bytesPerVector: BytesPerVector;
  /** What the settings became. */
  readonly resolved: Readonly<Record<string, string | number | boolean>>;
}

/** One contender in its process. */
export interface Engine {
  /** Builds the index from rows, of whose memory it keeps nothing. */
  build(vectors: Rows<Float32Array>): Promise<BuildCost>;
  /** Writes the index to a file or folder of that name; absent where the engine cannot. */
  save?(path: string): void;
  /** Takes the index that `save` wrote, which stays where it is. */
  load?(path: string): void;
  describe(): EngineDescription;
  /** Called with the queries before they are searched, any number of times. */
  prepare(queries: Rows<Float32Array>): void;
  /** One query a call, on one thread. */
  searcher(k: number, ef: number): Searcher;
  /** The same among the rows that a filter of the context allows; absent where the engine has no such way. */
  filteredSearcher?(k: number, ef: number, filter: number): Searcher;
  /**
   * Deletes ids, then adds rows under ids, of which those that are there are replaced. An id that was
   * deleted does not come back.
   */
  change?(removed: Uint32Array, ids: Uint32Array, rows: Rows<Float32Array>): Promise<void>;
  /** Searches all prepared queries on all threads; absent where the engine has no such way. */
  searchAll?(k: number, ef: number): Promise<unknown>;
}

/**
 * An engine that takes part: all that the harness knows of it. Its package is loaded by `create`
 * and not before, so that a missing one is no obstacle to the others.
 */
export interface EngineModule<IndexSettings = Settings, SearchSettings = Settings> {
  /** What --engines and results call it. */
  readonly name: string;
  /** Its npm package, unless it is leandex itself. */
  readonly package?: string;
  /** The command that installs the package, from the root of the repository. */
  readonly install?: string;
  /**
   * @throws LeandexError `UNSUPPORTED` or a `INVALID_ARGUMENT` where it cannot do what the settings
   * ask, here or in `build`: the contender is then skipped, with that reason.
   */
  create(context: EngineContext<IndexSettings, SearchSettings>): Promise<Engine>;
}

/** Row i of a matrix, without a copy. */
export function rowOf({ data, dimensions }: Rows<Float32Array>, i: number): Float32Array {
  return data.subarray(i * dimensions, (i + 1) * dimensions);
}

/** What turns rows into the form for a distance: of unit length under cosine, else as they are. */
export function formFor(distance: Distance): (rows: Rows<Float32Array>) => Rows<Float32Array> {
  return distance === 'Cosine' ? unitRows : (rows) => rows;
}

/** Rows of unit length, in memory of their own; one of length zero stays as it is. */
function unitRows(rows: Rows<Float32Array>): Rows<Float32Array> {
  const data = new Float32Array(rows.data.length);
  for (let i = 0; i < rows.count; i++) {
    const row = rowOf(rows, i);
    let sum = 0;
    for (const x of row) sum += x * x;
    const factor = sum === 0 ? 1 : 1 / Math.sqrt(sum);
    for (let j = 0; j < row.length; j++) data[i * rows.dimensions + j] = row[j] * factor;
  }
  return { ...rows, data };
}
