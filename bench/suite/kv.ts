import { createHash } from 'node:crypto';
import { bytesOf } from '../../datasets/elements.js';
import { type KvCacheSet, loadKvCache, SMOLLM2 } from '../../datasets/kv-cache.js';
import { LeandexError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { measureContest } from '../kv/contest.js';
import type { KvResult } from './result.js';
import type { KvTask } from './suite.js';

const WIDTH = SMOLLM2.kvHeads * SMOLLM2.headDim;
const QUERY_WIDTH = SMOLLM2.queryHeads * SMOLLM2.headDim;
const TOKENS = 256;
/** Directions in which generated caches have most of their energy, and its fall from one to the next. */
const RANK = 48;
const DECAY = 0.94;
const NOISE = 0.05;

/**
 * Errors of a compressed cache at equal bytes, beside other methods.
 * @throws LeandexError `NOT_FOUND` for an absent cache.
 */
export async function runKv(task: KvTask): Promise<KvResult> {
  const set = cacheOf(task);
  const isReal = task.cache !== 'generated';
  const variants = [{ name: 'own basis, groups', model: undefined, group: 'auto' as const }];
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

function cacheOf({ cache, layers: [from, to], seed }: KvTask): KvCacheSet {
  if (cache === 'generated') return generate(to - from, seed);
  const set = loadKvCache(cache, from, to);
  if (set === undefined) throw new LeandexError('NOT_FOUND', `the data set ${cache} is absent`);
  return set;
}

/** Layers that share directions, as those of real models do, with noise; without real queries. */
function generate(layers: number, seed: number): KvCacheSet {
  const random = new Random(seed);
  const gaussians = (size: number) => Float64Array.from({ length: size }, () => random.gaussian());
  const fill = () => {
    const shared = gaussians(TOKENS * RANK);
    const out = new Float32Array(layers * TOKENS * WIDTH);
    for (let layer = 0; layer < layers; layer++) {
      const directions = gaussians(RANK * WIDTH);
      for (let at = 0; at < TOKENS * WIDTH; at++) {
        const [token, i] = [Math.floor(at / WIDTH), at % WIDTH];
        let sum = NOISE * random.gaussian();
        for (let r = 0; r < RANK; r++) {
          sum += (DECAY ** r * shared[token * RANK + r] * directions[r * WIDTH + i]) / RANK;
        }
        out[layer * TOKENS * WIDTH + at] = sum;
      }
    }
    return out;
  };
  return {
    ...{ name: 'generated', layers, tokens: TOKENS, keys: fill(), values: fill() },
    ...{ queries: new Float32Array(layers * QUERY_WIDTH), queryCount: 1 },
    attention: new Float32Array(layers * QUERY_WIDTH).fill(1),
  };
}
