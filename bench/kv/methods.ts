import { type KvCacheSet, SMOLLM2 } from '../../datasets/kv-cache.js';
import { Kernels, paddedDimensions } from '../../src/kernels/index.js';
import type { KvCache } from '../../src/kv/cache.js';
import { compressKv, type KvModel } from '../../src/kv/model.js';
import { xkv } from '../../src/kv/xkv.js';

const { kvHeads, headDim } = SMOLLM2;
const WIDTH = kvHeads * headDim;

/** What a method makes of a cache: keys and values to read, and the bytes that they take. */
export interface Coded {
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  /** Of the tokens alone, and with the bases. */
  readonly bytes: { readonly tokens: number; readonly total: number };
}

/** The rows of each layer of a set. */
export function layersOf(numbers: Float32Array, layers: number): Float32Array[] {
  const size = numbers.length / layers;
  return Array.from({ length: layers }, (_, i) => numbers.subarray(i * size, (i + 1) * size));
}

/** Bytes as float16. */
export function halfBytes({ layers, tokens }: KvCacheSet): number {
  return 4 * layers * tokens * WIDTH;
}

function mapRows(
  set: KvCacheSet,
  bytes: number,
  code: (rows: Float32Array) => Float32Array,
): Coded {
  return {
    keys: layersOf(set.keys, set.layers).map(code),
    values: layersOf(set.values, set.layers).map(code),
    bytes: { tokens: bytes, total: bytes },
  };
}

/**
 * LVQ of each token, or of each head of each token, centred by the mean of the layer (of the head): with
 * four bytes of constants. The first `sinks` tokens are kept as float16.
 */
export function lvq(set: KvCacheSet, bits: number, size: number, sinks: number): Coded {
  const kernels = new Kernels();
  const perToken = WIDTH / size;
  const coded = (set.tokens - sinks) * (bits / 8 + 4 / size) * WIDTH;
  const total = 2 * set.layers * (coded + sinks * 2 * WIDTH);
  const padded = paddedDimensions(size);
  const [z, out] = [kernels.alloc(padded * 4), kernels.alloc(padded * 4)];
  const [record, buffer] = [kernels.alloc(padded + 64), kernels.alloc(padded)];
  return mapRows(set, total, (rows) => {
    const mean = columnMeans(rows, WIDTH);
    const result = rows.slice();
    for (let at = sinks * perToken; at < rows.length / size; at++) {
      const first = (at % perToken) * size;
      const numbers = kernels.f32(z, size);
      for (let i = 0; i < size; i++) numbers[i] = rows[at * size + i] - mean[first + i];
      kernels.call.lvqEncode(z, size, bits, 0, record);
      kernels.call.lvqDecode(record, size, bits, out, buffer);
      const decoded = kernels.f32(out, size);
      for (let i = 0; i < size; i++) result[at * size + i] = decoded[i] + mean[first + i];
    }
    return result;
  });
}

function columnMeans(rows: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) sums[i % width] += rows[i];
  return sums.map((sum) => (sum * width) / rows.length);
}

/** The truncated SVD of groups of layers with float16 factors: xKV, or with 1 one of each layer. */
export function svd(set: KvCacheSet, group: number, rank: number, sinks = 0): Coded {
  const { layers } = set;
  const ranks = { keys: rank, values: rank };
  const found = xkv(tokensOf(set), { layers, kvHeads, headDim, group, ranks });
  const read = Array.from({ length: layers }, (_, layer) => found.reconstruct(layer));
  const bytes = found.bytes + 4 * layers * sinks * WIDTH;
  const left = found.groups.reduce((sum, of) => sum + 2 * of.left.length, 0);
  const keep = (rows: Float32Array, exact: Float32Array) => {
    rows.set(exact.subarray(0, sinks * WIDTH));
    return rows;
  };
  const [keys, values] = [layersOf(set.keys, layers), layersOf(set.values, layers)];
  return {
    keys: read.map((of, layer) => keep(of.keys, keys[layer])),
    values: read.map((of, layer) => keep(of.values, values[layer])),
    bytes: { tokens: left + 4 * layers * sinks * WIDTH, total: bytes },
  };
}

/** The rank of a group in as many bytes as single layers of this rank take. */
export function rankOfGroup(set: KvCacheSet, group: number, single: number): number {
  const { tokens } = set;
  return Math.floor((group * single * (tokens + WIDTH)) / (tokens + group * WIDTH));
}

/**
 * MiniCache (arXiv 2405.14366): in the upper half of the layers two adjacent ones share the direction of
 * each token, the middle of theirs (SLERP), and keep its two lengths. The tokens whose directions
 * differ most, a twentieth, and the sinks stay as they are. What is kept is float16, or codes.
 */
export function miniCache(set: KvCacheSet, bits: 16 | 4 | 3 | 2, sinks: number): Coded {
  const { layers, tokens } = set;
  const half = Math.floor(layers / 2);
  const pairs = Math.floor((layers - half) / 2);
  const kept = Math.ceil(tokens / 20);
  const [keys, values] = [set.keys, set.values].map((numbers) => {
    const rows = layersOf(numbers, layers).map((layer) => layer.slice());
    for (let pair = 0; pair < pairs; pair++) {
      mergeLayers(rows[half + 2 * pair], rows[half + 2 * pair + 1], kept, sinks);
    }
    return rows;
  });
  const row = bits === 16 ? 2 * WIDTH : (bits / 8 + 4 / headDim) * WIDTH;
  const vectors = (layers - pairs) * tokens + pairs * kept;
  const bytes = 2 * (vectors * row + pairs * tokens * 4);
  if (bits === 16) return { keys, values, bytes: { tokens: bytes, total: bytes } };
  const join = (all: readonly Float32Array[]) => {
    const joined = new Float32Array(set.keys.length);
    for (const [i, rows] of all.entries()) joined.set(rows, i * rows.length);
    return joined;
  };
  const merged = { ...set, keys: join(keys), values: join(values) };
  const exact = 2 * layers * sinks * (2 * WIDTH - row);
  return {
    ...lvq(merged, bits, headDim, sinks),
    bytes: { tokens: bytes + exact, total: bytes + exact },
  };
}

function mergeLayers(a: Float32Array, b: Float32Array, kept: number, sinks: number): void {
  const tokens = a.length / WIDTH;
  const row = (of: Float32Array, t: number) => of.subarray(t * WIDTH, (t + 1) * WIDTH);
  const cosines = Float64Array.from({ length: tokens }, (_, t) => {
    const [x, y] = [row(a, t), row(b, t)];
    return dot(x, y) / (norm(x) * norm(y) || 1);
  });
  const order = [...cosines.keys()].sort((i, j) => cosines[i] - cosines[j]);
  const apart = new Set(order.slice(0, kept));
  for (let t = sinks; t < tokens; t++) {
    if (apart.has(t)) continue;
    const [x, y] = [row(a, t), row(b, t)];
    const [p, q] = [norm(x), norm(y)];
    // The middle of two directions, SLERP at ½, is that of their sum.
    const middle = x.map((value, i) => value / p + y[i] / q);
    const size = norm(middle);
    if (!(size > 0)) continue;
    x.set(middle.map((value) => (value * p) / size));
    y.set(middle.map((value) => (value * q) / size));
  }
}

const dot = (x: Float32Array, y: Float32Array) =>
  x.reduce((sum, value, i) => sum + value * y[i], 0);
const norm = (x: Float32Array) => Math.sqrt(dot(x, x));

function tokensOf({ keys, values, tokens }: KvCacheSet) {
  return { keys, values, tokens };
}

/** What leandex makes of a set: with the bases of a model, or without one with its own. */
export function leandex(
  set: KvCacheSet,
  bitsPerNumber: number,
  model: KvModel | undefined,
  group: number | 'auto' = 'auto',
): Coded & { cache: KvCache } {
  const { layers } = set;
  const options = { layers, kvHeads, headDim, bitsPerNumber, group, basis: 'own' } as const;
  const cache =
    model?.compress(tokensOf(set), { bitsPerNumber }) ?? compressKv(tokensOf(set), options);
  const read = Array.from({ length: layers }, (_, layer) => cache.reconstruct({ layer }));
  return {
    keys: read.map(({ keys }) => keys),
    values: read.map(({ values }) => values),
    bytes: cache.bytes,
    cache,
  };
}
