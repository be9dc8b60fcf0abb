import type { Rows } from '../../datasets/elements.js';
import type { Distance } from '../../src/base/distance.js';
import type { Contender } from '../cases.js';
import type { BytesPerVector } from '../protocol.js';

/** What an index is made for; known before any vector. */
export interface EngineContext<Settings = Contender['settings']> {
  readonly dimensions: number;
  readonly distance: Distance;
  readonly settings: Settings;
}

/** Searches the query of that row; what it needs for that is prepared beforehand. */
export type SearchOne = (query: number) => ArrayLike<number>;

/** One contender in its process. */
export interface Engine {
  /** Builds the index and resolves to the seconds that the engine's own calls took. */
  build(vectors: Rows<Float32Array>): Promise<number>;
  save(path: string): void;
  load(path: string): void;
  describe(): {
    bytesPerVector: BytesPerVector;
    resolved: Record<string, string | number>;
  };
  /** Called with the queries before they are searched, any number of times. */
  prepare(queries: Rows<Float32Array>): void;
  searcher(k: number, ef: number): SearchOne;
}
