import { outOfRange } from '../base/errors.js';
import { KvCache } from '../kv/cache.js';
import type { KvBudget } from '../kv/compress-options.js';
import { compressKvAsync, KvModel } from '../kv/model.js';
import type { KvOptions } from '../kv/options.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { refused } from './errors.js';
import { timeoutQuery } from './qdrant/schemas.js';
import { component, either, integer, number, type Of, object, oneOf } from './schema.js';
import { readBytes, readFloats, wireBytes } from './wire/bytes.js';
import { wireVector } from './wire/float-text.js';

/** KV-caches of language models: nothing is kept here, all comes with the request. */
const KV = '/v1/kv';

/** Float32 numbers, [layers, tokens, kv_heads · head_dim]. */
const floats = component<unknown>('Floats');
const bytes = component<unknown>('Bytes');

const budget = {
  bits_per_number: number({ exclusiveMinimum: 0 }),
  bytes: integer({ minimum: 1 }),
  error: number({ exclusiveMinimum: 0 }),
} as const;

const shape = object(
  {
    layers: integer({ minimum: 1 }),
    kv_heads: integer({ minimum: 1 }),
    head_dim: integer({ minimum: 1 }),
  },
  {
    group: either(integer({ minimum: 1 }), oneOf(['auto'] as const)),
    sinks: integer({ minimum: 0 }),
    key_weight: number({ exclusiveMinimum: 0 }),
  },
);

const compressBody = object(
  { tokens: integer({ minimum: 1 }), keys: floats, values: floats },
  { shape, model: bytes, ...budget },
);

/** What is given, under the names that the engine has for it. */
function budgetOf({ bits_per_number, bytes, error }: Of<typeof compressBody>): KvBudget {
  if ([bits_per_number, bytes, error].filter(Boolean).length > 1) {
    throw refused(400, 'the budget is one of bits_per_number, bytes, error: several are given');
  }
  return {
    ...(bits_per_number && { bitsPerNumber: bits_per_number }),
    ...(bytes && { bytes }),
    ...(error && { error }),
  };
}

function optionsOf(given: Of<typeof shape>): KvOptions {
  const { layers, kv_heads: kvHeads, head_dim: headDim, group, sinks, key_weight } = given;
  return {
    layers,
    kvHeads,
    headDim,
    ...(group && { group }),
    ...(typeof sinks === 'number' && { sinks }),
    ...(key_weight && { keyWeight: key_weight }),
  };
}

const compress = endpoint({
  method: 'POST',
  path: `${KV}/compress`,
  summary:
    'Compress keys and values: with the bases of a `model`, or given a `shape` with own ones',
  access: 'read',
  envelope: 'bare',
  query: timeoutQuery,
  body: compressBody,
  result: object({
    cache: bytes,
    tokens: integer(),
    basis: oneOf(['calibrated', 'own'] as const),
    bytes: object({ tokens: integer(), basis: integer(), total: integer() }),
  }),
  run: async (_, { body, signal }) => {
    const { tokens, keys, values, shape, model } = body;
    if ((shape ?? undefined) === undefined && (model ?? undefined) === undefined) {
      throw refused(400, 'shape or model says what the numbers are: neither is given');
    }
    if (shape && model) throw refused(400, 'a model has a shape: give one of both');
    const rows = { keys: readFloats('keys', keys), values: readFloats('values', values), tokens };
    const options = { ...budgetOf(body), signal };
    const cache = model
      ? await readModel(model).compressAsync(rows, options)
      : await compressKvAsync(rows, { ...optionsOf(shape!), ...options, basis: 'own' });
    const { basis, bytes } = cache;
    return { cache: wireBytes(cache.toBytes()), tokens: cache.tokens, basis, bytes };
  },
});

const reconstructBody = object(
  { cache: bytes, layer: integer({ minimum: 0 }) },
  { model: bytes, from: integer({ minimum: 0 }), to: integer({ minimum: 0 }) },
);

/** It is the request that is damaged, and nothing of this server. */
function ofRequest<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'CORRUPT') throw error;
    throw refused(400, (error as Error).message);
  }
}

const readModel = (model: unknown): KvModel =>
  ofRequest(() => KvModel.fromBytes(readBytes('model', model)));

function readCache({ cache, model }: Of<typeof reconstructBody>): KvCache {
  const known = model ? readModel(model) : undefined;
  return ofRequest(() => KvCache.fromBytes(readBytes('cache', cache), known));
}

const reconstruct = endpoint({
  method: 'POST',
  path: `${KV}/reconstruct`,
  summary: 'Keys and values of a layer of a compressed cache, all tokens or some',
  access: 'read',
  envelope: 'bare',
  query: timeoutQuery,
  body: reconstructBody,
  result: object({ keys: floats, values: floats }),
  run: async ({ options }, { body, signal }) => {
    const cache = readCache(body);
    const { layer } = body;
    const { from, to } = { from: body.from ?? 0, to: body.to ?? cache.tokens };
    const { kvHeads, headDim } = cache.options;
    const answerBytes = 2 * 4 * kvHeads * headDim * Math.max(0, to - from);
    if (answerBytes > options.limits.bodyBytes) {
      throw outOfRange(
        'to',
        `such that an answer has at most ${options.limits.bodyBytes} bytes`,
        to,
      );
    }
    const { keys, values } = await cache.reconstructAsync({ layer, from, to, signal });
    return { keys: wireVector(keys), values: wireVector(values) };
  },
});

export const nativeKv: readonly Endpoint[] = [compress, reconstruct];
