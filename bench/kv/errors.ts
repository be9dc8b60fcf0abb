import { type KvCacheSet, SMOLLM2 } from '../../datasets/kv-cache.js';
import { type Coded, halfBytes, layersOf } from './methods.js';
import { softmax } from './stories.js';

const { kvHeads, headDim, queryHeads, rope } = SMOLLM2;
const WIDTH = kvHeads * headDim;

/** Means over the layers of relative errors, and how many times fewer bytes than float16. */
export interface KvErrors {
  readonly keys: number;
  readonly values: number;
  readonly attention: number;
  readonly compression: number;
  readonly compressionWithBases: number;
}

export function errorsOf(set: KvCacheSet, coded: Coded): KvErrors {
  const { layers } = set;
  const meanOf = (found: readonly Float32Array[], exact: Float32Array) =>
    layersOf(exact, layers).reduce((sum, of, i) => sum + relative(found[i], of), 0) / layers;
  const queries = layersOf(set.queries, layers);
  const attended = coded.keys.map((keys, layer) =>
    attention(keys, coded.values[layer], queries[layer], set.tokens),
  );
  return {
    keys: meanOf(coded.keys, set.keys),
    values: meanOf(coded.values, set.values),
    attention: meanOf(attended, set.attention),
    compression: halfBytes(set) / coded.bytes.tokens,
    compressionWithBases: halfBytes(set) / coded.bytes.total,
  };
}

function relative(found: Float32Array, exact: Float32Array): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error += (found[i] - exact[i]) ** 2;
    size += exact[i] ** 2;
  }
  return Math.sqrt(error / size);
}

/** The attention of SmolLM2 for queries of the last positions, in float64. */
function attention(
  keys: Float32Array,
  values: Float32Array,
  queries: Float32Array,
  tokens: number,
): Float32Array {
  const size = queryHeads * headDim;
  const count = queries.length / size;
  const out = new Float32Array(queries.length);
  const rotated = rotateRows(keys, WIDTH, 0);
  const turned = rotateRows(queries, size, tokens - count);
  for (let m = 0; m < count; m++) {
    const visible = tokens - count + m + 1;
    for (let head = 0; head < queryHeads; head++) {
      const at = m * size + head * headDim;
      const kv = Math.floor((head * kvHeads) / queryHeads) * headDim;
      const scores = new Float64Array(visible);
      for (let t = 0; t < visible; t++) {
        let sum = 0;
        for (let i = 0; i < headDim; i++) sum += turned[at + i] * rotated[t * WIDTH + kv + i];
        scores[t] = sum / Math.sqrt(headDim);
      }
      const weights = softmax(scores);
      for (let t = 0; t < visible; t++) {
        for (let i = 0; i < headDim; i++) out[at + i] += weights[t] * values[t * WIDTH + kv + i];
      }
    }
  }
  return out;
}

/** Rows of heads, rotated as at positions from `start` on. */
function rotateRows(rows: Float32Array, width: number, start: number): Float64Array {
  const out = Float64Array.from(rows);
  const half = headDim / 2;
  for (let r = 0; r < rows.length / width; r++) {
    for (let f = 0; f < half; f++) {
      const angle = (start + r) * rope.theta ** (-f / half);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let at = r * width + f; at < (r + 1) * width; at += headDim) {
        const [x, y] = [out[at], out[at + half]];
        out[at] = x * cos - y * sin;
        out[at + half] = x * sin + y * cos;
      }
    }
  }
  return out;
}
