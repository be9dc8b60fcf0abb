import type { CollectionInfo, VectorInfo } from '../../db/info.js';
import type { CollectionNotes } from '../catalog.js';
import { anything, array, either, integer, object, oneOf, record, type Schema } from '../schema.js';
import { type CreateBody, isOne } from './collection-config.js';
import { UNNAMED } from './unnamed.js';

const settings: Schema<unknown> = { type: 'object' };

export const collectionInfo = object(
  {
    status: oneOf(['green', 'yellow', 'red'] as const),
    optimizer_status: either(oneOf(['ok'] as const), object({ error: { type: 'string' } })),
    points_count: integer(),
    indexed_vectors_count: integer(),
    segments_count: integer(),
    config: object(
      { params: settings, hnsw_config: settings, optimizer_config: settings },
      {
        wal_config: settings,
        quantization_config: settings,
        metadata: settings,
      },
    ),
    payload_schema: record(
      object({ data_type: { type: 'string' }, points: integer() }, { params: settings }),
    ),
  },
  { warnings: array(anything()) },
);

const STATUSES = { ready: 'green', building: 'yellow', degraded: 'red' } as const;
const EF_CONSTRUCT = 200;
const M = 16;
/** The number of vectors that are scanned, where nothing else was asked for. */
const EXACT_BELOW = 2000;

/** What Qdrant tells of a collection. */
export function wireInfo(info: CollectionInfo, { settings }: CollectionNotes) {
  const given = settings as CreateBody;
  const fields = Object.values(info.vectors);
  const problem = fields.find((field) => field.problem !== undefined)?.problem;
  const [first] = fields;
  const sparse = Object.entries(info.sparseVectors).map(([name, { modifier }]) => {
    const index = given.sparse_vectors?.[name]?.index;
    return [name, { ...(index && { index }), ...(modifier !== 'none' && { modifier }) }];
  });
  return {
    status: STATUSES[info.status],
    optimizer_status: problem === undefined ? 'ok' : { error: problem },
    points_count: info.count,
    indexed_vectors_count: fields.reduce((sum, { indexed }) => sum + indexed, 0),
    segments_count: 1,
    config: {
      params: {
        vectors: wireVectors(info, given),
        ...(sparse.length > 0 && { sparse_vectors: Object.fromEntries(sparse) }),
        shard_number: 1,
        replication_factor: given.replication_factor ?? 1,
        write_consistency_factor: given.write_consistency_factor ?? 1,
        on_disk_payload: given.on_disk_payload ?? true,
        ...(given.payload && { payload: given.payload }),
      },
      hnsw_config: {
        m: M,
        ef_construct: EF_CONSTRUCT,
        full_scan_threshold: Math.ceil((EXACT_BELOW * 4 * (first?.size ?? 0)) / 1024),
        ...given.hnsw_config,
      },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1000,
        default_segment_number: 1,
        flush_interval_sec: 0,
        ...given.optimizers_config,
      },
      wal_config: given.wal_config,
      quantization_config: given.quantization_config,
      metadata: given.metadata,
    },
    payload_schema: Object.fromEntries(
      Object.entries(info.payloadIndexes).map(([field, index]) => [field, wireIndex(index)]),
    ),
  };
}

function wireVectors({ vectors }: CollectionInfo, { vectors: given }: CreateBody) {
  const unnamed = vectors[''] ?? vectors[UNNAMED];
  if (unnamed !== undefined) return wireField(unnamed, given && isOne(given) ? given : {});
  const asked = given && !isOne(given) ? given : {};
  return Object.fromEntries(
    Object.entries(vectors).map(([name, field]) => [name, wireField(field, asked[name] ?? {})]),
  );
}

function wireField({ size, distance, originals, multivector }: VectorInfo, asked: object) {
  return {
    ...asked,
    size,
    distance,
    ...(originals === 'float16' && { datatype: originals }),
    ...(multivector && { multivector_config: { comparator: 'max_sim' } }),
  };
}

function wireIndex({ schema, points }: CollectionInfo['payloadIndexes'][string]) {
  if (typeof schema === 'string') return { data_type: schema, points };
  return { data_type: schema.type, params: schema, points };
}
