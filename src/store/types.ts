import type { PointId } from '../base/point-id.js';

/**
 * What survives a power loss: `always` what was acknowledged, `batched` all but about the last
 * second, `process` nothing for certain. A killed process loses nothing in any of them.
 */
export type Durability = 'always' | 'batched' | 'process';

/** How vectors are kept; `none` keeps 8 bits a dimension instead of the originals. */
export type Originals = 'float32' | 'float16' | 'none';

/** A vector field of a collection. */
export interface StoredField {
  name: string;
  /** Numbers in a vector. */
  size: number;
  originals: Originals;
  /** Whether a point has several vectors in this field, one at least. */
  multi?: boolean;
}

export interface CollectionEntry {
  name: string;
  /** Name of its folder. */
  folder: string;
  /** JSON, the caller's own. */
  config: unknown;
  fields: StoredField[];
}

/** No row: of a point that is not there, or that an operation left alone. */
export const NONE = 0xffff_ffff;

/** Vectors of one field, for some points of a batch. */
export interface VectorColumn {
  field: number;
  /**
   * Row after row. On a SharedArrayBuffer they reach the thread without a copy, and must stay as
   * they are until the write is answered.
   */
  vectors: Float32Array;
  /** Of a multi field: the i-th of these points has the vectors offsets[i] … offsets[i + 1] − 1. */
  offsets?: Uint32Array;
  /** Places in the batch that have one, ascending; absent: all. */
  at?: Uint32Array;
}

/** Stored vectors of one field. */
export interface VectorRows extends Pick<VectorColumn, 'vectors' | 'offsets'> {
  /** Ascending. */
  rows: Uint32Array;
  /** Those asked for that were not looked at, as the others are enough for once: of multi fields. */
  rest: Uint32Array;
}

export interface PointBatch {
  /** Checked, all different. */
  ids: readonly PointId[];
  /** JSON text of each point's payload. */
  payloads: readonly (string | null)[];
  columns: readonly VectorColumn[];
}

export type UpsertMode = 'upsert' | 'insert_only' | 'update_only';

export interface Written {
  /** Sequence number of this write. */
  version: number;
  /** The new row of each point of the batch; NONE where nothing was written. */
  rows: Uint32Array;
  /** Rows that ended. */
  removed: Uint32Array;
}

/** Points that got new rows because some of their vectors changed. */
export interface Moved extends Written {
  /** Of each point of the batch; null where it has none or nothing was written. */
  payloads: (string | null)[];
  /** The vectors that did not change; `at` are places in the batch. */
  carried: VectorColumn[];
}

export interface Removed {
  version: number;
  removed: Uint32Array;
}

/** Points by id or by row. */
export type Target = { ids: readonly PointId[] } | { rows: Uint32Array };

export interface PayloadsChanged {
  version: number;
  /** The points that are there, in the order asked for. */
  rows: Uint32Array;
  before: (string | null)[];
  after: (string | null)[];
}

/** What read() is to bring; a payload or vector that was not asked for is undefined. */
export interface Wanted {
  payload: boolean;
  fields: readonly number[];
}

export interface StoredPoint {
  row: number;
  id: PointId;
  version: number;
  payload: string | null | undefined;
  /** Of each field of the collection; of a multi field one behind the other. */
  vectors: (Float32Array | undefined)[];
}

export interface PointList {
  rows: Uint32Array;
  versions: Float64Array;
  /** Bit f: has a vector of field f. */
  fields: Uint32Array;
  ids: PointId[];
}

export interface Scored {
  rows: Uint32Array;
  scores: Float64Array;
  /** Rows asked for that have no vector, or are not there any more. */
  gone: number;
}

export interface Matched {
  rows: Uint32Array;
  /** Rows asked for that are not there any more. */
  gone: number;
}

export interface CollectionState {
  count: number;
  /** The next new row: all rows that are or were are below it. */
  nextRow: number;
  /** Sequence number of the last write. */
  version: number;
}
