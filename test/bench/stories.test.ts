import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { perplexity, sampleStory } from '../../bench/kv/perplexity.js';
import { loadStories } from '../../bench/kv/stories.js';
import { sharedFolder } from '../../datasets/shared.js';
import { KvModel } from '../../src/kv/model.js';
import { relativeError } from '../kv/support.js';

const model = loadStories();
const missing = model === undefined ? ' (the data set is not there)' : '';

test.skipIf(missing !== '')(`stories260K computes the cache that comes with it${missing}`, () => {
  const bytes = readFileSync(join(sharedFolder('stories260K')!, 'kv_demo.f32'));
  const expected = new Float32Array(new Uint8Array(bytes).buffer);
  const { keys, values } = sampleStory(model!, 220);
  const size = 220 * 32;
  for (let layer = 0; layer < 5; layer++) {
    const [key, value] = [keys, values].map((rows) => (rows as Float32Array[])[layer]!);
    const at = 2 * layer * size;
    expect(relativeError(key!, expected.subarray(at, at + size))).toBeLessThan(1e-4);
    expect(relativeError(value!, expected.subarray(at + size, at + 2 * size))).toBeLessThan(1e-4);
  }
});

test.skipIf(missing !== '')(
  `a cache of a quarter of the bytes costs less than 1 % of perplexity${missing}`,
  { timeout: 60_000 },
  async () => {
    const shape = { layers: model!.layers, kvHeads: model!.kvHeads, headDim: model!.headDim };
    const story = sampleStory(model!, 512, 1);
    const { keys, values, tokens } = story;
    const others = [2, 3, 4].map((seed) => {
      const { keys, values, tokens } = sampleStory(model!, 512, seed);
      return { keys, values, tokens };
    });
    const trained = await KvModel.train(others, { ...shape, bitsPerNumber: 4 });
    const cache = trained.compress({ keys, values, tokens });
    expect(cache.bytes.tokens).toBeLessThanOrEqual((2 * 5 * 512 * 32 * 16) / 8 / 4);
    const exact = perplexity(model!, story);
    expect(perplexity(model!, story, cache)).toBeLessThan(1.01 * exact);
  },
);
