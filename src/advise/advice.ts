import type { Distance, DistanceName } from '../base/distance.js';
import type { BuildOptions, LeanIndexOptions } from '../graph/options.js';
import type { MetricFeatures, ShapeFeatures } from './meta-features.js';
import type { CurvePoint } from './recall-curve.js';
import type { Settings } from './trial.js';

export interface AdviseOptions extends Pick<BuildOptions, 'onProgress' | 'signal' | 'threads'> {
  /** Numbers in a vector, 1 … 16,384. */
  dimensions: number;
  /** What the model was trained for, where you know: it is then kept. Default: one is recommended. */
  distance?: DistanceName | undefined;
  /**
   * Queries of the kind to come, rows of `dimensions` numbers, a few hundred or more. Without them
   * vectors of the data ask, which are not in the trial indexes.
   */
  queries?: Float32Array | undefined;
  /** Whether the index may be trained with queries; collections cannot. Default: yes. */
  trainWithQueries?: boolean | undefined;
  /** The class of each vector: which distance separates them better decides then. */
  labels?: ArrayLike<number> | undefined;
  /** Vectors that the index will hold. Default: as many as are given. */
  count?: number | undefined;
  /** Neighbours that a search asks for. Default 10. */
  k?: number | undefined;
  /** The recall@k that is wanted, .5 … .999. Default .95. */
  recall?: number | undefined;
  /** Bytes a vector that the index may take at the most. Default: no limit. */
  memory?: number | undefined;
  /**
   * Vectors that trial indexes hold at the most, 2,048 … 999,999. Default: 16,384 to 131,072, the more
   * the fewer dimensions they have.
   */
  sample?: number | undefined;
  /** Default 1. */
  seed?: number | undefined;
}

/** A decision, and why. */
export interface Reason {
  about: 'distance' | 'index' | 'projection' | 'codes' | 'links' | 'training' | 'order' | 'ef';
  text: string;
}

export interface Warning {
  code:
    | 'LENGTHS_DECIDE'
    | 'LENGTHS_IGNORED'
    | 'ZERO_VECTORS'
    | 'QUERIES_DIFFER'
    | 'SMALL_SAMPLE'
    | 'LOW_CONTRAST'
    | 'POORLY_COMPRESSIBLE'
    | 'OUTLIER_DIMENSIONS'
    | 'RECALL_OUT_OF_REACH'
    | 'MEMORY_OUT_OF_REACH';
  text: string;
}

export interface Advice {
  /** For `LeanIndex.build()`; the same, without `dimensions`, for a collection. */
  settings: LeanIndexOptions & { distance: Distance };
  /** Whether to build with `queries`: a sample of those to come. */
  trainWithQueries: boolean;
  search: { ef: number };
  /** What to expect of an index of `count` vectors with these settings. */
  expected: { count: number; k: number; recall: number; bytesPerVector: number; bytes: number };
  reasons: Reason[];
  warnings: Warning[];
  features: MetricFeatures & ShapeFeatures;
  /** Indexes that were built of a sample, and what they found. */
  trials: {
    settings: Settings;
    trained: boolean;
    count: number;
    bytesPerVector: number;
    curve: CurvePoint[];
  }[];
}
