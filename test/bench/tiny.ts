import type { BenchCase } from '../../bench/cases.js';
import { contender, withEfs } from '../../bench/contenders.js';
import { hnswlib } from '../../bench/engines/hnswlib-node.js';
import { leandex } from '../../bench/engines/leandex.js';

export const EFS = [10, 40, 160];

/** Small enough for every test run, large enough for leandex to build a graph. */
export const TINY: BenchCase = {
  name: 'tiny',
  data: {
    kind: 'generated',
    generator: 'manifold',
    count: 2500,
    dimensions: 32,
    seed: 7,
    intrinsic: 8,
  },
  distance: 'Cosine',
  queries: 60,
  k: 10,
  contenders: [
    ...withEfs([contender(leandex, 'leandex', { seed: 3 })], EFS),
    ...withEfs([contender(hnswlib, 'hnswlib', { m: 16, efConstruction: 100 })], EFS.slice(0, 2)),
  ],
  repeats: 2,
  measureMs: 10,
};
