import { wrongType } from '../../base/errors.js';
import type {
  CollectionConfig,
  IndexOptions,
  SparseVectorConfig,
  VectorConfig,
} from '../../db/config.js';
import { refused, unsupported } from '../errors.js';
import {
  anything,
  boolean,
  either,
  eitherBy,
  integer,
  type Of,
  object,
  oneOf,
  record,
  string,
} from '../schema.js';
import { refusedField } from './schemas.js';
import { UNNAMED } from './unnamed.js';
import { refuseUnsupported, unsupportedFields } from './unsupported.js';

/** Where something is to lie: kept and told again, as the older `on_disk` is. */
const memory = oneOf(['cold', 'cached', 'pinned'] as const);
const storage = object({}, { memory });

/** `m` and `ef_construct` build the graph; the others say where things lie, and change no result. */
const hnswConfig = object(
  {},
  {
    m: integer({ minimum: 0 }),
    ef_construct: integer({ minimum: 1 }),
    full_scan_threshold: integer({
      minimum: 0,
      description: 'Kilobytes of vectors that are scanned',
    }),
    max_indexing_threads: integer({ minimum: 0 }),
    on_disk: boolean(),
    memory,
    payload_m: integer({ minimum: 0 }),
  },
);

/** The engine's own settings, which Qdrant refuses, so that nobody takes one for the other. */
const leanvec = object(
  {},
  {
    preset: oneOf(['default', 'compact'] as const),
    primary_bits: integer(),
    primary_dimensions: integer(),
    secondary_bits: either(integer(), oneOf(['nested', 'none'] as const)),
    exact_below: integer(),
    shards: integer(),
    seed: integer(),
    order: string(),
    originals: oneOf(['float32', 'float16', 'none'] as const),
  },
);

const quantizationConfig = object(
  {},
  {
    scalar: object(
      { type: oneOf(['int8'] as const) },
      { always_ram: boolean(), memory, quantile: refusedField },
    ),
    leanvec,
    product: refusedField,
    binary: refusedField,
    turbo: refusedField,
  },
);

const vectorParams = object(
  {
    size: integer({ minimum: 1 }),
    distance: oneOf(['Cosine', 'Dot', 'Euclid', 'Manhattan'] as const),
  },
  {
    hnsw_config: hnswConfig,
    quantization_config: quantizationConfig,
    on_disk: boolean(),
    memory,
    datatype: oneOf(['float32', 'float16', 'uint8', 'turbo4'] as const),
    multivector_config: object({ comparator: oneOf(['max_sim'] as const) }),
  },
);

/** Sparse vectors are compared exactly, in memory: this changes no result. */
const sparsePlacement = {
  full_scan_threshold: integer({ minimum: 0 }),
  on_disk: boolean(),
  memory,
} as const;

const sparseParams = object(
  {},
  {
    modifier: oneOf(['none', 'idf'] as const),
    index: object(
      {},
      {
        ...sparsePlacement,
        datatype: oneOf(['float32', 'float16', 'uint8', 'turbo4'] as const),
      },
    ),
  },
);

const vectorsConfig = eitherBy('size', 'number', vectorParams, record(vectorParams));

/** Where data lie and when they are moved: of no effect on results, kept and told again. */
const placement = {
  on_disk_payload: boolean(),
  payload: storage,
  replication_factor: integer({ minimum: 1 }),
  write_consistency_factor: integer({ minimum: 1 }),
  wal_config: record(anything()),
  optimizers_config: record(anything()),
  metadata: record(anything()),
} as const;

export const createBody = object(
  {},
  {
    vectors: vectorsConfig,
    sparse_vectors: record(sparseParams),
    hnsw_config: hnswConfig,
    quantization_config: quantizationConfig,
    shard_number: integer({ minimum: 1 }),
    ...placement,
    ...unsupportedFields('createCollection'),
  },
);
export type CreateBody = Of<typeof createBody>;

export const changeBody = object(
  {},
  {
    optimizers_config: record(anything()),
    params: object(
      {},
      {
        replication_factor: integer({ minimum: 1 }),
        write_consistency_factor: integer({ minimum: 1 }),
        on_disk_payload: boolean(),
        payload: storage,
        read_fan_out_factor: integer({ minimum: 0 }),
      },
    ),
    metadata: record(anything()),
    hnsw_config: refusedField,
    vectors: record(
      object(
        {},
        {
          on_disk: boolean(),
          memory,
          hnsw_config: refusedField,
          quantization_config: refusedField,
        },
      ),
    ),
    quantization_config: refusedField,
    sparse_vectors: record(
      object({}, { index: object({}, sparsePlacement), modifier: refusedField }),
    ),
    strict_mode_config: refusedField,
  },
);

type VectorParams = Of<typeof vectorParams>;
type Hnsw = Of<typeof hnswConfig>;
type Quantization = Of<typeof quantizationConfig>;

/** What the database is to make of a vector; settings of the collection hold where it has none. */
function readVectorParams(
  what: string,
  given: VectorParams,
  collection: Pick<CreateBody, 'hnsw_config' | 'quantization_config'>,
): VectorConfig {
  const { size, distance, datatype, multivector_config } = given;
  checkStorage(what, given);
  if (distance === 'Manhattan') throw unsupported(`${what}.distance`, 'Manhattan is not supported');
  if (datatype === 'uint8' || datatype === 'turbo4') {
    throw unsupported(`${what}.datatype`, 'vectors are kept as float32 or float16');
  }
  const quantization = given.quantization_config ?? collection.quantization_config ?? {};
  const { originals = datatype ?? 'float32', ...codes } = readQuantization(what, quantization);
  const hnsw = { ...present(collection.hnsw_config), ...present(given.hnsw_config) };
  return {
    size,
    distance,
    originals,
    ...(multivector_config && { multivector: { comparator: multivector_config.comparator } }),
    index: { ...readHnsw(hnsw, size), ...codes },
  };
}

/** @throws 422 as Qdrant does: what is large is not held in memory by force */
export function checkStorage(what: string, { memory }: Of<typeof storage>): void {
  if (memory !== 'pinned') return;
  throw refused(422, `Validation error in JSON body: ${what}.memory: pinned is not supported here`);
}

function readHnsw({ m, ef_construct, full_scan_threshold }: Hnsw, size: number): IndexOptions {
  const efConstruction = ef_construct && m ? Math.max(ef_construct, m) : ef_construct;
  const scanned = Math.floor(((full_scan_threshold ?? 0) * 1024) / (4 * size));
  return {
    ...(typeof m === 'number' && { m }),
    ...(efConstruction && { efConstruction }),
    ...(typeof full_scan_threshold === 'number' && { exactBelow: Math.min(scanned, 1_000_000) }),
  };
}

/** Scalar codes of 8 bits are what leandex ranks by in any case. */
function readQuantization(what: string, given: Quantization) {
  for (const name of ['product', 'binary', 'turbo'] as const) {
    if (given[name]) throw unsupported(`${what}: quantization ${name}`);
  }
  if (typeof given.scalar?.quantile === 'number') {
    throw unsupported(`${what}: quantile`, 'each vector has an interval of its own');
  }
  const { primary_bits, primary_dimensions, secondary_bits, exact_below, ...rest } = present(
    given.leanvec,
  );
  return present({
    ...rest,
    primaryBits: primary_bits,
    primaryDimensions: primary_dimensions,
    secondaryBits: secondary_bits,
    exactBelow: exact_below,
  }) as IndexOptions & Pick<VectorConfig, 'originals'>;
}

/** The members that are given. */
function present<T extends object>(given: T | null | undefined): T {
  const members = Object.entries(given ?? {}).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(members) as T;
}

/** Whether it is the settings of one vector, and not of several by name. */
export function isOne(vectors: NonNullable<CreateBody['vectors']>): vectors is VectorParams {
  return typeof vectors.size === 'number';
}

/** What the database is to make of a request. */
export function readCreate(body: CreateBody): CollectionConfig {
  refuseUnsupported('createCollection', body);
  checkStorage('payload', body.payload ?? {});
  const sparse = readSparse(body.sparse_vectors ?? {});
  const { vectors } = body;
  if (vectors && isOne(vectors)) {
    const config = readVectorParams('vectors', vectors, body);
    return { vectors: sparse.length === 0 ? config : asNamed([[UNNAMED, config], ...sparse]) };
  }
  const dense = Object.entries(vectors ?? {}).map(([name, params]) => {
    return [name, readVectorParams(`vectors.${name}`, params, body)] as const;
  });
  const fields = [...dense, ...sparse];
  if (fields.length > 0) return { vectors: asNamed(fields) };
  throw wrongType('vectors', '{ size, distance }, or such objects by name', vectors);
}

type NamedField = readonly [string, VectorConfig | SparseVectorConfig];

/** @throws 422 where a dense and a sparse vector have the same name */
function asNamed(fields: readonly NamedField[]): CollectionConfig['vectors'] {
  const names = fields.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    const rule = 'Dense and sparse vector names must be unique';
    throw refused(422, `Validation error in JSON body: ${rule} - duplicate found with '${twice}'`);
  }
  return Object.fromEntries(fields);
}

function readSparse(given: NonNullable<CreateBody['sparse_vectors']>): NamedField[] {
  return Object.entries(given).map(([name, { modifier, index }]) => {
    if (name === '') {
      const rule = 'Sparse vector name cannot be empty';
      throw refused(422, `Validation error in JSON body: ${rule}`);
    }
    if (index?.datatype && index.datatype !== 'float32') {
      const problem = 'sparse vectors do not support it, values are kept as float32';
      throw unsupported(`sparse_vectors.${name}.index.datatype`, problem);
    }
    return [name, { sparse: { modifier: modifier ?? 'none' } }];
  });
}

/** The fields of a change that would build the collection anew. */
export const FIXED_SETTINGS = ['hnsw_config', 'quantization_config', 'strict_mode_config'] as const;
