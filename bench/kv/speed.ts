import { SMOLLM2 } from '../../datasets/kv-cache.js';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { KvModel } from '../../src/kv/model.js';
import type { Rope } from '../../src/kv/rope.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { median } from '../statistics.js';

const ROUNDS = 9;
const WARM_UP = 3;
/** Calls in a round: as many as there are layers. */
const CALLS = 24;

/** Milliseconds of the processor: the median of some rounds of calls, the first ones left out. */
function millisecondsOf(run: () => unknown): number {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) run();
    if (round >= WARM_UP) times.push(process.cpuUsage(start).user / 1000 / CALLS);
  }
  return median(times);
}

/** Tokens of `layers` layers in subspaces that decay, with noise. */
function madeUp(layers: number, width: number, tokens: number, seed: number): KvTokens {
  const random = new Random(seed);
  const rank = width / 8;
  const map = Float32Array.from({ length: rank * width }, (_, i) => {
    return random.gaussian() / (1 + Math.floor(i / width));
  });
  const make = () => {
    const rows = new Float32Array(layers * tokens * width);
    for (let row = 0; row < layers * tokens; row++) {
      for (let j = 0; j < width; j++) rows[row * width + j] = 0.05 * (random.uniform() - 0.5);
      for (let k = 0; k < rank; k++) {
        const x = random.gaussian();
        for (let j = 0; j < width; j++) rows[row * width + j] += x * map[k * width + j];
      }
    }
    return rows;
  };
  return { keys: make(), values: make(), tokens };
}

export interface CompressTime {
  readonly milliseconds: number;
  readonly layers: number;
  readonly tokens: number;
  readonly width: number;
}

/** Compressing a cache of 16 layers of 512 numbers with a calibrated basis a layer, 2 bits a number. */
export async function timeCompress(): Promise<CompressTime> {
  const [layers, width, tokens] = [16, 512, 2048];
  const data = madeUp(layers, width, tokens, 1);
  const model = await KvModel.train([data], { layers, kvHeads: 8, headDim: 64, group: 1 });
  const start = process.cpuUsage();
  model.compress(data);
  return { milliseconds: process.cpuUsage(start).user / 1000, layers, tokens, width };
}

export interface AttendTimes {
  readonly compressed: number;
  readonly float32: number;
}

/** One query against the compressed tokens of a layer, and against float32. */
export async function timeAttend(
  data: KvTokens & { keys: readonly Float32Array[] },
  rope: Rope | undefined,
): Promise<AttendTimes> {
  const { kvHeads, headDim, queryHeads } = SMOLLM2;
  const layers = data.keys.length;
  const model = await KvModel.train([data], { layers, kvHeads, headDim, group: 1 });
  const cache = model.compress(data);
  const random = new Random(3);
  const queries = Float32Array.from({ length: queryHeads * headDim }, () => random.gaussian());
  const request = { queries, positions: [data.tokens - 1], ...(rope && { rope }) };
  let layer = 0;
  const compressed = millisecondsOf(() => cache.attend({ layer: layer++ % layers, ...request }));
  return { compressed, float32: timeFloat32(layers, data.tokens) };
}

/**
 * The same on float32, by the same kernels: keys that are rotated already, head by head in panels of 8
 * tokens, values in panels of 8 numbers.
 */
function timeFloat32(layers: number, tokens: number): number {
  const { kvHeads, headDim, queryHeads } = SMOLLM2;
  const kernels = new Kernels();
  const { call } = kernels;
  const random = new Random(4);
  const group = queryHeads / kvHeads;
  const filled = (count: number) => {
    const address = kernels.alloc(count * 4);
    const numbers = kernels.f32(address, count);
    for (let i = 0; i < count; i++) numbers[i] = random.gaussian();
    return address;
  };
  const size = tokens * kvHeads * headDim;
  const caches = Array.from({ length: layers }, () => [filled(size), filled(size)] as const);
  const queries = filled(queryHeads * headDim);
  const scores = kernels.alloc(queryHeads * tokens * 4);
  const [state, factors] = [kernels.alloc(queryHeads * 8), kernels.alloc(queryHeads * 4)];
  const out = kernels.alloc(queryHeads * headDim * 4);
  let layer = 0;
  return millisecondsOf(() => {
    const [keys, values] = caches[layer++ % layers];
    const head = tokens * headDim * 4;
    for (let kv = 0; kv < kvHeads; kv++) {
      const [q, to] = [queries + kv * group * headDim * 4, scores + kv * group * tokens * 4];
      call.multiplyPanels(q, headDim, group, headDim, keys + kv * head, tokens / 8, to, tokens);
    }
    const start = kernels.f32(state, queryHeads * 2).fill(0);
    for (let row = 0; row < queryHeads; row++) start[row * 2] = -Infinity;
    call.kvSoftmax(scores, queryHeads, tokens, tokens, state, factors);
    for (let kv = 0; kv < kvHeads; kv++) {
      const [w, to] = [scores + kv * group * tokens * 4, out + kv * group * headDim * 4];
      call.multiplyPanels(w, tokens, group, tokens, values + kv * head, headDim / 8, to, headDim);
    }
  });
}
