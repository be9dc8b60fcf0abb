import type { Distance } from '../base/distance.js';
import type { Progress } from '../base/steps.js';
import type { FieldSchema } from '../filter/field-schema.js';
import type { IndexStats } from '../graph/stats.js';
import type { TextTokenizer } from '../store/text-tables.js';
import type { Originals } from '../store/types.js';
import type { CollectionCore } from './collection-core.js';
import type { SparseOptions } from './config.js';
import type { MultivectorInfo } from './field.js';
import { SparseField } from './sparse-field.js';

/** The index of one vector of a collection. */
export interface VectorInfo {
  size: number;
  distance: Distance;
  originals: Originals;
  /** Points that have it. */
  count: number;
  /** Vectors in the graph; the others are compared exactly. */
  indexed: number;
  /** Share of the vectors' energy that the trained projection misses, 0 … 1. */
  energyMissed: number | undefined;
  /** What is being done in the background. */
  progress: Progress | undefined;
  /** Why nothing is: the message of the error that ended it. */
  problem: string | undefined;
  graph: IndexStats | undefined;
  /** Where points have several vectors: `count` is of points, and the graph of their encodings. */
  multivector: MultivectorInfo | undefined;
}

/** The index of one sparse vector of a collection. */
export interface SparseInfo extends Required<SparseOptions> {
  /** Points that have it. */
  count: number;
  /** Different indices, and how many values there are that are kept. */
  indices: number;
  values: number;
}

export interface CollectionInfo {
  name: string;
  /** Points. */
  count: number;
  /** Number of writes so far. */
  version: number;
  /** `building` while vectors are being moved into a graph, or a graph is being built. */
  status: 'ready' | 'building' | 'degraded';
  /** By name; under the empty name where there is but one. */
  vectors: Record<string, VectorInfo>;
  sparseVectors: Record<string, SparseInfo>;
  payloadIndexes: Record<string, { schema: FieldSchema; points: number }>;
  /** By field; `isWhole` is false while one is being made. */
  textIndexes: Record<
    string,
    { tokenizer: TextTokenizer; prefix: readonly number[]; isWhole: boolean }
  >;
  bytes: { memory: number; disk: number };
}

export async function describe(name: string, core: CollectionCore): Promise<CollectionInfo> {
  const { state, indexers } = core;
  const vectors: CollectionInfo['vectors'] = {};
  const sparseVectors: CollectionInfo['sparseVectors'] = {};
  let memory = state.indexes.byteLength;
  for (const [i, field] of state.fields.entries()) {
    if (!(field instanceof SparseField)) continue;
    const { size, byteLength } = field.postings;
    memory += byteLength;
    const count = state.fieldRows[i]!.size;
    const { name, sparse } = field.config;
    sparseVectors[name] = { ...sparse, count, indices: size.indices, values: size.entries };
  }
  for (const indexer of indexers) {
    const { config, multivector, index } = indexer.field;
    const { graph, fresh } = index;
    memory += multivector?.tokenBytes ?? 0;
    const stats = graph?.stats();
    for (const index of [stats, fresh.stats()]) {
      if (index !== undefined) memory += index.count * index.bytesPerVector.total;
    }
    vectors[config.name] = {
      size: config.size,
      distance: config.distance,
      originals: config.originals,
      count: state.fieldRows[indexer.number]!.size,
      indexed: graph?.count ?? 0,
      energyMissed: graph && indexer.drift.missed,
      progress: indexer.progress,
      problem: indexer.error === undefined ? undefined : (indexer.error as Error).message,
      graph: stats,
      multivector,
    };
  }
  const isBuilding = indexers.some(({ isWorking }) => isWorking);
  const isDegraded = indexers.some(({ error }) => error !== undefined);
  return {
    name,
    count: state.count,
    version: state.version,
    status: isDegraded ? 'degraded' : isBuilding ? 'building' : 'ready',
    vectors,
    sparseVectors,
    payloadIndexes: Object.fromEntries(
      Array.from(state.indexes.schemas, ([field, schema]) => [
        field,
        { schema, points: state.indexes.pointsIn(field, state.live) },
      ]),
    ),
    textIndexes: Object.fromEntries(
      (await core.stored.texts()).map(({ field, tokenizer, prefix, missing }) => [
        field,
        { tokenizer, prefix, isWhole: missing === null },
      ]),
    ),
    bytes: { memory, disk: await core.stored.bytesOnDisk() },
  };
}
