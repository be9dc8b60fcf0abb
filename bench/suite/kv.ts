import { createHash } from 'node:crypto';
import { bytesOf } from '../../datasets/elements.js';
import { type KvCacheSet, loadKvCache, SMOLLM2 } from '../../datasets/kv-cache.js';
import { LeandexError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { KvModel } from '../../src/kv/model.js';
import { measureContest } from '../kv/contest.js';
import type { KvResult } from './result.js';
import type { KvTask } from './suite.js';

const WIDTH = SMOLLM2.kvHeads * SMOLLM2.headDim;
const QUERY_WIDTH = SMOLLM2.queryHeads * SMOLLM2.headDim;
const TOKENS = 256;
/** Directions in which generated caches have most of their energy, and its fall from one to the next. */
const RANK = 48;
const DECAY = 0.94;
const NOISE = 0.01;

/**
 * Errors of a compressed cache at equal bytes, beside other methods.
 * @throws LeandexError `NOT_FOUND` for an absent cache.
 */
export async function runKv(task: KvTask): Promise<KvResult> {
  const { set, sample } = cachesOf(task);
  const isReal = task.cache !== 'generated';
  const { layers, keys, values, tokens } = sample ?? set;
  const shape = {
    layers,
    kvHeads: SMOLLM2.kvHeads,
    headDim: SMOLLM2.headDim,
    group: 'auto',
  } as const;
  const group = 'auto' as const;
  const own = { name: 'own basis', model: undefined, group };
  // One that is not of these tokens: its bases are of the model's bytes, not of the cache's.
  const variants =
    sample === undefined
      ? [own]
      : [
          {
            name: 'calibrated basis',
            model: await KvModel.train([{ keys, values, tokens }], shape),
            group,
          },
          own,
        ];
  const figures = measureContest(set, variants).map(({ attention, ...row }) => ({
    ...row,
    attention: isReal ? attention : null,
  }));
  const hash = createHash('sha256').update(bytesOf(set.keys)).update(bytesOf(set.values));
  return {
    ...{ kind: 'kv', name: task.name, task, figures },
    ...{ layers: set.layers, tokens: set.tokens, sha256: hash.digest('hex') },
  };
}

/** A cache, and another one of the same model to calibrate with, where there is any. */
function cachesOf(task: KvTask): { set: KvCacheSet; sample: KvCacheSet | undefined } {
  const { cache, layers, seed } = task;
  const [from, to] = layers;
  if (cache === 'generated') {
    const [set, sample] = generate(to - from, seed);
    return { set, sample };
  }
  const set = loadKvCache(cache, from, to);
  if (set === undefined) throw new LeandexError('NOT_FOUND', `the data set ${cache} is absent`);
  const sample = task.calibration === undefined ? undefined : loadKvCache(task.calibration);
  return { set, sample };
}

/** Two caches of a model whose layers have directions of their own, with noise; no real queries. */
function generate(layers: number, seed: number): [KvCacheSet, KvCacheSet] {
  const random = new Random(seed);
  const gaussians = (size: number) => Float64Array.from({ length: size }, () => random.gaussian());
  const directions = Array.from({ length: 2 * layers }, () => gaussians(RANK * WIDTH));
  const fill = (of: readonly Float64Array[]) => {
    const out = new Float32Array(layers * TOKENS * WIDTH);
    const tokens = gaussians(TOKENS * RANK);
    for (const [layer, axes] of of.entries()) {
      for (let at = 0; at < TOKENS * WIDTH; at++) {
        const [token, i] = [Math.floor(at / WIDTH), at % WIDTH];
        let sum = NOISE * random.gaussian();
        for (let r = 0; r < RANK; r++) {
          sum += (DECAY ** r * tokens[token * RANK + r] * axes[r * WIDTH + i]) / RANK;
        }
        out[layer * TOKENS * WIDTH + at] = sum;
      }
    }
    return out;
  };
  const cache = (): KvCacheSet => ({
    ...{ name: 'generated', layers, tokens: TOKENS },
    ...{ keys: fill(directions.slice(0, layers)), values: fill(directions.slice(layers)) },
    ...{ queries: new Float32Array(layers * QUERY_WIDTH), queryCount: 1 },
    attention: new Float32Array(layers * QUERY_WIDTH).fill(1),
  });
  return [cache(), cache()];
}
