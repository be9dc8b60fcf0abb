export type { Advice, AdviseOptions, Reason, Warning } from './advise/advice.js';
export { advise } from './advise/advise.js';
export {
  type FunnelOptions,
  type FunnelStage,
  type GainOf,
  lossFunnel,
  type TaskScores,
} from './advise/funnel.js';
export type { MetricFeatures, ShapeFeatures } from './advise/meta-features.js';
export type { Distance, DistanceName } from './base/distance.js';
export { type ErrorCode, type ErrorDetails, LeandexError } from './base/errors.js';
export type { PointId } from './base/point-id.js';
export type { Progress, RunOptions } from './base/steps.js';
export type { CollectionAdviseOptions } from './db/advising.js';
export type { Collection, SignalOption } from './db/collection.js';
export type {
  CollectionConfig,
  IndexOptions,
  MultiIndexOptions,
  Multivector,
  SparseOptions,
  SparseVectorConfig,
  VectorConfig,
} from './db/config.js';
export type { Database, OpenOptions, RestoreOptions } from './db/database.js';
export type { MultivectorInfo } from './db/field.js';
export type { CollectionInfo, SparseInfo, VectorInfo } from './db/info.js';
export { open } from './db/open.js';
export type {
  Fusion,
  GroupQuery,
  Mmr,
  OrderBy,
  Prefetch,
  Query,
  TextQuery,
} from './db/query-types.js';
export type {
  Condition,
  Durability,
  FacetCount,
  FieldCondition,
  FieldSchema,
  FieldType,
  Filter,
  Group,
  Hit,
  Match,
  MultiVector,
  Originals,
  Page,
  Payload,
  PayloadSelection,
  Point,
  Scroll,
  Selection,
  SparseVector,
  StoredRecord,
  StoredSparseVector,
  StoredVector,
  Target,
  TextIndexOptions,
  TextTokenizer,
  Vector,
  Vectors,
  WriteResult,
} from './db/types.js';
export { LeanMultiIndex, type MultiLoadResult } from './fde/lean-multi-index.js';
export type {
  FdeDimensions,
  LeanMultiIndexOptions,
  MultiSearchOptions,
} from './fde/multi-options.js';
export type { MultiIndexStats } from './fde/multi-stats.js';
export type { TokenSets } from './fde/offsets.js';
export type { CellFill, FdeOptions, InnerProjection } from './fde/options.js';
export { type PoolingMethod, type PoolingOptions, poolTokens } from './fde/pooling.js';
export type { TokenBits } from './fde/token-codec.js';
export type { AllowList } from './graph/allow-list.js';
export type { AllowedIds } from './graph/id-set.js';
export { type HnswlibImport, importHnswlib } from './graph/import-hnswlib.js';
export {
  type IntrinsicDimensionalityOptions,
  intrinsicDimensionality,
  type LidReport,
} from './graph/intrinsic-dimensionality.js';
export {
  LeanIndex,
  type LoadResult,
  type SaveContent,
  type SaveOptions,
} from './graph/lean-index.js';
export type { IndexSource } from './graph/load.js';
export type {
  AddOptions,
  BuildOptions,
  IdOptions,
  InsertionOrder,
  LeanIndexOptions,
  Preset,
  SearchOptions,
  WriteOptions,
} from './graph/options.js';
export type { IndexMeta, PartWriter } from './graph/save.js';
export type { BatchSearchResult, SearchResult } from './graph/search.js';
export type { IndexStats } from './graph/stats.js';
export type { KernelVariant } from './kernels/index.js';
export { kernelVariant } from './kernels/index.js';
export { type KvBytes, KvCache, type KvRange } from './kv/cache.js';
export type { CompressOptions, KvBasisChoice, KvBudget } from './kv/compress-options.js';
export type { KvGroup } from './kv/describe.js';
export { type GraphRequest, KeyGraph, type KeyGraphOptions } from './kv/key-graph.js';
export {
  type CompressKvOptions,
  compressKv,
  compressKvAsync,
  KvModel,
} from './kv/model.js';
export type { NearestRequest, NearestTokens } from './kv/nearest.js';
export type { KvGrouping, KvOptions } from './kv/options.js';
export type { KvQueries } from './kv/query-rows.js';
export type { Rope } from './kv/rope.js';
export type { KvShape, KvTokens } from './kv/shape.js';
export { type Xkv, type XkvOptions, xkv, xkvAsync } from './kv/xkv.js';
export type { PrimaryBits, SecondaryBits } from './quant/layout.js';
export { LeanVec, type LeanVecMethod, type LeanVecOptions } from './quant/leanvec.js';
export { Lvq, type LvqBits, type LvqCodes, type LvqOptions } from './quant/lvq.js';
