import type { KvCacheSet } from '../../datasets/kv-cache.js';
import { Random } from '../../src/base/random.js';
import type { KvTokens } from '../../src/kv/shape.js';

/** ‖a − b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

export interface OracleRope {
  theta: number;
  style: 'half' | 'interleaved';
  dimensions?: number;
}

/** A head's numbers at a position, rotated by the definition (RoFormer, arXiv 2104.09864). */
export function rotateHead(
  head: ArrayLike<number>,
  position: number,
  rope: OracleRope | undefined,
): Float64Array {
  const out = Float64Array.from(head);
  if (rope === undefined) return out;
  const size = rope.dimensions ?? head.length;
  for (let f = 0; f < size / 2; f++) {
    const angle = position * rope.theta ** ((-2 * f) / size);
    const [a, b] = rope.style === 'half' ? [f, f + size / 2] : [2 * f, 2 * f + 1];
    const [x, y] = [head[a]!, head[b]!];
    out[a] = x * Math.cos(angle) - y * Math.sin(angle);
    out[b] = x * Math.sin(angle) + y * Math.cos(angle);
  }
  return out;
}

/** Causal attention in float64 by the definition: queries [m, queryHeads · headDim] before RoPE. */
export function attention(
  keys: ArrayLike<number>,
  values: ArrayLike<number>,
  queries: Float32Array,
  positions: readonly number[],
  shape: { kvHeads: number; headDim: number; queryHeads: number },
  rope: OracleRope | undefined,
): Float64Array {
  const { kvHeads, headDim, queryHeads } = shape;
  const width = kvHeads * headDim;
  const tokens = keys.length / width;
  const part = (of: ArrayLike<number>, at: number) =>
    Array.from({ length: headDim }, (_, i) => of[at + i]!);
  const rotated = Array.from({ length: tokens * kvHeads }, (_, at) =>
    rotateHead(part(keys, at * headDim), Math.floor(at / kvHeads), rope),
  );
  const out = new Float64Array(queries.length);
  positions.forEach((position, m) => {
    for (let head = 0; head < queryHeads; head++) {
      const at = (m * queryHeads + head) * headDim;
      const query = rotateHead(part(queries, at), position, rope);
      const kv = Math.floor((head * kvHeads) / queryHeads);
      const count = Math.min(tokens, position + 1);
      const scores = Array.from({ length: count }, (_, t) => {
        const key = rotated[t * kvHeads + kv]!;
        return key.reduce((sum, x, i) => sum + x * query[i]!, 0) / Math.sqrt(headDim);
      });
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, x) => sum + x, 0);
      weights.forEach((weight, t) => {
        const from = t * width + kv * headDim;
        for (let i = 0; i < headDim; i++) {
          out[at + i] = out[at + i]! + (weight / total) * values[from + i]!;
        }
      });
    }
  });
  return out;
}

/** What a model takes of a set. */
export function tokensOf({ keys, values, tokens }: KvCacheSet): KvTokens {
  return { keys, values, tokens };
}

/** Random tokens whose coefficients decay: layers mix the same hidden numbers, as far as `align` says. */
export function madeUpTokens(
  shape: { layers: number; kvHeads: number; headDim: number },
  tokens: number,
  seed: number,
  align = 0.8,
  language = 1,
): KvTokens {
  const random = new Random(language);
  const width = shape.kvHeads * shape.headDim;
  const maps = Array.from({ length: 2 * (shape.layers + 1) }, () =>
    Float64Array.from({ length: width * width }, (_, at) => {
      return random.gaussian() / (1 + (at % width));
    }),
  );
  const offsets = Float64Array.from({ length: width }, () => random.gaussian());
  const draw = new Random(seed);
  const hidden = Array.from({ length: tokens * (shape.layers + 1) }, () =>
    Float64Array.from({ length: width }, () => draw.gaussian()),
  );
  const make = (kind: number) => {
    const out = new Float32Array(shape.layers * tokens * width);
    for (let layer = 0; layer < shape.layers; layer++) {
      const map = maps[kind * (shape.layers + 1) + layer]!;
      for (let token = 0; token < tokens; token++) {
        const [own, common] = [
          hidden[token * (shape.layers + 1) + layer + 1]!,
          hidden[token * (shape.layers + 1)]!,
        ];
        for (let i = 0; i < width; i++) {
          let sum = offsets[i]!;
          for (let j = 0; j < width; j++) {
            sum += map[i * width + j]! * (align * common[j]! + Math.sqrt(1 - align ** 2) * own[j]!);
          }
          out[(layer * tokens + token) * width + i] = sum;
        }
      }
    }
    return out;
  };
  return { keys: make(0), values: make(1), tokens };
}
