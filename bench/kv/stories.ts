import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../datasets/shared.js';

/** A small language model of the form of Llama 2, float32, as llama2.c saves it (version 0). */
export interface Llama {
  readonly dim: number;
  readonly hiddenDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly embedding: Float32Array;
  readonly attentionNorm: Float32Array;
  readonly wq: Float32Array;
  readonly wk: Float32Array;
  readonly wv: Float32Array;
  readonly wo: Float32Array;
  readonly feedNorm: Float32Array;
  readonly w1: Float32Array;
  readonly w2: Float32Array;
  readonly w3: Float32Array;
  readonly finalNorm: Float32Array;
}

/** Its RoPE, as KvCache.attend() takes it. */
export const LLAMA_ROPE = { theta: 10_000, style: 'interleaved' } as const;
const EPSILON = 1e-5;

/** stories260K of ../shared/datasets; undefined where it is not there. */
export function loadStories(): Llama | undefined {
  const folder = sharedFolder('stories260K');
  if (folder === undefined) return undefined;
  return parseLlama(readFileSync(join(folder, 'stories260K.bin')));
}

function parseLlama(bytes: Buffer): Llama {
  const copy = new Uint8Array(bytes).buffer;
  const [dim, hiddenDim, layers, heads, kvHeads, vocabulary, context] = new Int32Array(copy, 0, 7);
  const kvDim = (dim * kvHeads) / heads;
  let at = 28;
  const next = (count: number) => {
    const numbers = new Float32Array(copy, at, count);
    at += count * 4;
    return numbers;
  };
  return {
    dim,
    hiddenDim,
    layers,
    heads,
    kvHeads,
    headDim: dim / heads,
    vocabulary,
    context,
    embedding: next(vocabulary * dim),
    attentionNorm: next(layers * dim),
    wq: next(layers * dim * dim),
    wk: next(layers * kvDim * dim),
    wv: next(layers * kvDim * dim),
    wo: next(layers * dim * dim),
    feedNorm: next(layers * dim),
    w1: next(layers * hiddenDim * dim),
    w2: next(layers * dim * hiddenDim),
    w3: next(layers * hiddenDim * dim),
    finalNorm: next(dim),
  };
}

/**
 * What attention gives for one token: of `query` (before RoPE) at `position` of a layer, when the keys
 * (before RoPE) and values of that token are known.
 */
export type Attend = (
  layer: number,
  position: number,
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
) => ArrayLike<number>;

/** The logits of the token behind `token` at `position`. */
export function forward(
  model: Llama,
  token: number,
  position: number,
  attend: Attend,
): Float32Array {
  const { dim, hiddenDim, layers } = model;
  const kvDim = model.kvHeads * model.headDim;
  const x = model.embedding.slice(token * dim, (token + 1) * dim);
  for (let layer = 0; layer < layers; layer++) {
    const weights = (of: Float32Array, size: number) =>
      of.subarray(layer * size, (layer + 1) * size);
    const h = normed(x, weights(model.attentionNorm, dim));
    const query = product(weights(model.wq, dim * dim), h);
    const key = product(weights(model.wk, kvDim * dim), h);
    const value = product(weights(model.wv, kvDim * dim), h);
    const heads = Float32Array.from(attend(layer, position, query, key, value));
    add(x, product(weights(model.wo, dim * dim), heads));
    const f = normed(x, weights(model.feedNorm, dim));
    const gate = product(weights(model.w1, hiddenDim * dim), f);
    const up = product(weights(model.w3, hiddenDim * dim), f);
    const inner = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
    add(x, product(weights(model.w2, dim * hiddenDim), inner));
  }
  return product(model.embedding, normed(x, model.finalNorm));
}

/** Attention on float32, which keeps what it is given: keys and values of each layer. */
export function floatCache(model: Llama): { attend: Attend; keys: number[][]; values: number[][] } {
  const { layers, heads, kvHeads, headDim } = model;
  const kvDim = kvHeads * headDim;
  const keys = Array.from({ length: layers }, (): number[] => []);
  const values = Array.from({ length: layers }, (): number[] => []);
  const rotated = Array.from({ length: layers }, (): number[] => []);
  const attend: Attend = (layer, position, query, key, value) => {
    keys[layer].push(...key);
    values[layer].push(...value);
    rotated[layer].push(...turned(key, position, headDim));
    const q = turned(query, position, headDim);
    const out = new Float64Array(query.length);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor((head * kvHeads) / heads) * headDim;
      const scores = Array.from({ length: position + 1 }, (_, t) => {
        let sum = 0;
        for (let i = 0; i < headDim; i++) {
          sum += q[head * headDim + i] * rotated[layer][t * kvDim + kv + i];
        }
        return sum / Math.sqrt(headDim);
      });
      softmax(scores).forEach((weight, t) => {
        for (let i = 0; i < headDim; i++) {
          out[head * headDim + i] += weight * values[layer][t * kvDim + kv + i];
        }
      });
    }
    return out;
  };
  return { attend, keys, values };
}

/** Heads rotated as at a position, pair by pair of neighbours. */
function turned(numbers: Float32Array, position: number, headDim: number): Float64Array {
  const out = Float64Array.from(numbers);
  for (let i = 0; i < out.length; i += 2) {
    const angle = position * LLAMA_ROPE.theta ** (-(i % headDim) / headDim);
    const [x, y] = [out[i], out[i + 1]];
    out[i] = x * Math.cos(angle) - y * Math.sin(angle);
    out[i + 1] = x * Math.sin(angle) + y * Math.cos(angle);
  }
  return out;
}

export function softmax(scores: ArrayLike<number>): Float64Array {
  const largest = Array.from(scores).reduce((a, b) => Math.max(a, b));
  const weights = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

function normed(x: Float32Array, weights: Float32Array): Float32Array {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const factor = 1 / Math.sqrt(mean + EPSILON);
  return x.map((value, i) => value * factor * weights[i]);
}

/** W x for rows of the length of x. */
function product(rows: Float32Array, x: Float32Array): Float32Array {
  const out = new Float32Array(rows.length / x.length);
  for (let r = 0; r < out.length; r++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += rows[r * x.length + i] * x[i];
    out[r] = sum;
  }
  return out;
}

function add(x: Float32Array, more: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i] += more[i];
}
