import type { SearchResult } from '../graph/search.js';
import type { VectorColumn } from '../store/types.js';
import type { AllowedRows } from './allowed-rows.js';
import type { SingleConfig } from './config.js';
import type { FieldStore, GraphField, IndexRows } from './field.js';
import type { Beam, RowIndex } from './row-index.js';

/** A field with one vector a point: its index is all it is. */
export class SingleField implements GraphField {
  readonly config: SingleConfig;
  readonly index: RowIndex;
  readonly scoreMax: number;
  readonly multivector = undefined;

  constructor(config: SingleConfig, index: RowIndex) {
    this.config = config;
    this.index = index;
    this.scoreMax = config.distance === 'Cosine' ? 1 : Number.POSITIVE_INFINITY;
  }

  has(row: number): boolean {
    return this.index.has(row);
  }

  hasRoomFor(): boolean {
    return true;
  }

  add(rows: Uint32Array, { vectors }: Pick<VectorColumn, 'vectors'>): Promise<void> {
    return this.index.add(rows, vectors);
  }

  remove(rows: Iterable<number>): Promise<void> {
    return this.index.remove(rows);
  }

  read(rows: Uint32Array, stored: FieldStore): Promise<IndexRows> {
    return stored.read(rows);
  }

  search(
    query: Float32Array,
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult> {
    return this.index.search(query, k, beam, allowed);
  }

  searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult[]> {
    return this.index.searchBatch(queries, k, beam, allowed);
  }

  close(): Promise<void> {
    return this.index.close();
  }
}
