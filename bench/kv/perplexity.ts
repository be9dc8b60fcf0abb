import { Random } from '../../src/base/random.js';
import type { KvCache } from '../../src/kv/cache.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { floatCache, forward, LLAMA_ROPE, type Llama, softmax } from './stories.js';

/** The token that a text begins with. */
const BEGIN = 1;

/** A text that a model wrote, and its cache. */
export interface Story extends KvTokens {
  readonly ids: readonly number[];
}

/** Samples a text of `count` tokens at temperature 1; without a seed the likeliest token each time. */
export function sampleStory(model: Llama, count: number, seed?: number): Story {
  const random = seed === undefined ? undefined : new Random(seed);
  const cache = floatCache(model);
  const ids = [BEGIN];
  for (let position = 0; position < count; position++) {
    const logits = forward(model, ids[position], position, cache.attend);
    ids.push(random === undefined ? likeliest(logits) : drawn(softmax(logits), random.uniform()));
  }
  return {
    ids: ids.slice(0, count),
    tokens: count,
    keys: cache.keys.map((numbers) => Float32Array.from(numbers)),
    values: cache.values.map((numbers) => Float32Array.from(numbers)),
  };
}

/** Of a text whose tokens see what the cache keeps of the ones before and of themselves. */
export function perplexity(model: Llama, { ids }: Story, cache?: KvCache): number {
  const exact = floatCache(model);
  let sum = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const logits = forward(model, ids[position], position, (layer, at, query, key, value) =>
      cache === undefined
        ? exact.attend(layer, at, query, key, value)
        : cache.attend({ layer, queries: query, positions: [at], rope: LLAMA_ROPE }),
    );
    sum -= Math.log(softmax(logits)[ids[position + 1]]);
  }
  return Math.exp(sum / (ids.length - 1));
}

function likeliest(logits: Float32Array): number {
  return logits.reduce((best, logit, id) => (logit > logits[best] ? id : best), 0);
}

function drawn(weights: Float64Array, point: number): number {
  let sum = 0;
  for (let id = 0; id < weights.length; id++) {
    sum += weights[id];
    if (point < sum) return id;
  }
  return weights.length - 1;
}
