import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runSteps } from '../../src/base/steps.js';
import { carveQuery } from '../../src/fde/ball-carving.js';
import { TOKEN_BITS, type TokenBits } from '../../src/fde/token-codec.js';
import { TokenStore } from '../../src/fde/token-store.js';
import { norm } from '../../src/kernels/scalar/float.js';
import { maxSim, rowsOf } from '../../src/kernels/scalar/maxsim.js';
import { ALONE, crewOf } from '../../src/threads/crew.js';
import { PoolLease } from '../../src/threads/pool.js';
import { errorOf } from '../datasets/support.js';
import { offsetsOf, Random, tokenRows } from './support.js';

const newStore = (dimensions: number, bits: TokenBits, shared = false) =>
  new TokenStore({ dimensions, bits, shared });

/** Σ ‖q‖ times the longest token: what errors are in proportion to. */
function scaleOf(query: Float32Array, document: Float32Array, d: number): number {
  const longest = Math.max(0, ...rowsOf(document, d).map(norm));
  return rowsOf(query, d).reduce((sum, q) => sum + norm(q), 0) * longest;
}

/** A store of few documents, its slots, and a query. */
function example(bits: TokenBits, d: number, m: number, sizes: number[], seed = 1) {
  const random = new Random(seed);
  const store = newStore(d, bits);
  const tokens = tokenRows(
    random,
    sizes.reduce((a, b) => a + b, 0),
    d,
    true,
  );
  const slots = store.add(tokens, offsetsOf(sizes));
  return { random, store, tokens, slots, query: tokenRows(random, m, d, true) };
}

test('golden: two query tokens, one of them met exactly (checks 4.9)', () => {
  for (const bits of [32, 16] as const) {
    const store = newStore(2, bits);
    const slots = store.add(Float32Array.of(0.6, 0.8, 1, 0), offsetsOf([2]));
    expect(store.maxSim(Float32Array.of(1, 0, 0, 1), slots)[0]).toBeCloseTo(
      1.8,
      bits === 32 ? 6 : 3,
    );
  }
});

test('golden: carved query tokens score 2.36, as exactly, against one token (checks 4.9)', () => {
  const query = Float32Array.of(1, 0, 0.8, 0.6, 0, 1);
  const store = newStore(2, 32);
  const slots = store.add(Float32Array.of(0.6, 0.8), offsetsOf([1]));
  const carved = carveQuery(query, 2, 0.7);
  expect(carved.length).toBe(2 * 2);
  expect(store.maxSim(carved, slots)[0]).toBeCloseTo(2.36, 6);
  expect(store.maxSim(query, slots)[0]).toBeCloseTo(2.36, 6);
});

describe.each(TOKEN_BITS)('MaxSim of %s-bit tokens', (bits) => {
  test('equals the double loop over the stored tokens', () => {
    for (const d of [1, 2, 3, 16, 31, 128, 300]) {
      const { store, slots, query } = example(bits, d, 33, [3, 0, 7, 1, 70]);
      const scores = store.maxSim(query, slots);
      for (const [i, slot] of slots.entries()) {
        const stored = store.tokensOf(slot);
        const error = Math.abs(scores[i]! - maxSim(query, stored, d));
        expect(error).toBeLessThanOrEqual(2e-5 * scaleOf(query, stored, d));
      }
    }
  });

  test('is that of the tokens given, within what the codes lose', () => {
    const { store, slots, query, tokens } = example(bits, 128, 8, [40]);
    const exact = maxSim(query, tokens, 128);
    const tolerance = { 32: 1e-5, 16: 5e-4, 8: 2e-3, 4: 4e-2 }[bits];
    expect(Math.abs(store.maxSim(query, slots)[0]! - exact) / 8).toBeLessThan(tolerance);
  });

  test('does not fall when a document gets more tokens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, more) => {
        const random = new Random(seed);
        const [d, few] = [24, 5];
        const tokens = tokenRows(random, few + more, d);
        const store = newStore(d, bits);
        const [a] = store.add(tokens.slice(0, few * d), offsetsOf([few]));
        const [b] = store.add(tokens, offsetsOf([few + more]));
        const query = tokenRows(random, 6, d);
        const [least, most] = store.maxSim(query, Uint32Array.of(a!, b!));
        expect(most).toBeGreaterThanOrEqual(least!);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('adds up over query tokens, in any order', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), (seed, first) => {
        const { store, slots, query } = example(bits, 20, 9, [4, 9], seed);
        const [a, b] = [query.slice(0, first * 20), query.slice(first * 20)];
        const whole = store.maxSim(query, slots);
        const turned = store.maxSim(Float32Array.of(...b, ...a), slots);
        const [ofA, ofB] = [store.maxSim(a, slots), store.maxSim(b, slots)];
        for (const i of slots.keys()) {
          expect(Math.abs(ofA[i]! + ofB[i]! - whole[i]!)).toBeLessThan(1e-5);
          expect(Math.abs(turned[i]! - whole[i]!)).toBeLessThan(1e-5);
        }
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  test('grows with the query, and does not change with copies of document tokens', () => {
    const { store, slots, query, tokens } = example(bits, 40, 7, [6]);
    const [score] = store.maxSim(query, slots);
    const [tripled] = store.maxSim(
      query.map((x) => 4 * x),
      slots,
    );
    expect(Math.abs(tripled! - 4 * score!)).toBeLessThan(1e-5);
    const twice = store.add(Float32Array.of(...tokens, ...tokens), offsetsOf([12]));
    expect(store.maxSim(query, twice)[0]).toBe(score);
  });

  test('is not the same the other way round', () => {
    const [one, two] = [Float32Array.of(1, 0), Float32Array.of(0.6, 0.8, 1, 0)];
    const store = newStore(2, bits);
    const slots = store.add(Float32Array.of(...one, ...two), offsetsOf([1, 2]));
    expect(store.maxSim(one, slots.subarray(1))[0]).toBeCloseTo(1, 1);
    expect(store.maxSim(two, slots.subarray(0, 1))[0]).toBeCloseTo(1.6, 1);
  });

  test('is 0 for documents without tokens', () => {
    const { store, slots, query } = example(bits, 10, 4, [0, 2, 0]);
    expect([...store.maxSim(query, slots)].map((x) => x === 0)).toEqual([true, false, true]);
    expect([...store.tokensOf(slots[0]!)]).toEqual([]);
    expect(store.countOf(slots[1]!)).toBe(2);
  });

  test('of sums of query tokens is at most the exact one; a threshold above 1 changes nothing', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: -1, max: 1, noNaN: true }), (seed, threshold) => {
        const { store, slots, query } = example(bits, 8, 12, [3, 5], seed);
        const exact = store.maxSim(query, slots);
        const carved = store.maxSim(carveQuery(query, 8, threshold), slots);
        for (const i of slots.keys()) expect(carved[i]!).toBeLessThan(exact[i]! + 1e-4);
        expect(carveQuery(query, 8, 1.001)).toEqual(query);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('ranks as sorting all scores does, ties by slot', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, k) => {
        const sizes = Array.from({ length: 40 }, (_, i) => (i * 7) % 11);
        const { store, tokens, slots, query } = example(bits, 32, 11, sizes, seed);
        const copies = store.add(tokens, offsetsOf(sizes));
        const all = Uint32Array.of(...copies, ...slots).filter((slot) => slot % 5 !== 2);
        const scores = store.maxSim(query, all);
        const order = [...all.keys()].sort((a, b) => scores[b]! - scores[a]! || all[a]! - all[b]!);
        const best = order.slice(0, k);
        expect(store.rank(query, all, k)).toEqual({
          slots: Uint32Array.from(best, (i) => all[i]!),
          scores: Float32Array.from(best, (i) => scores[i]!),
        });
      }),
      { seed: 4, numRuns: 30 },
    );
  });
});

test('other threads give the same scores and ranks, while documents come and go', async () => {
  const lease = new PoolLease();
  const pool = await lease.get();
  for (const bits of TOKEN_BITS) {
    const [random, d] = [new Random(bits), 48];
    const store = newStore(d, bits, true);
    const sizes = Array.from({ length: 50 }, () => random.below(30));
    const slots = store.add(tokenRows(random, offsetsOf(sizes)[50]!, d), offsetsOf(sizes));
    const query = tokenRows(random, 10, d);
    const expected = [store.maxSim(query, slots), store.rank(query, slots, 7)];
    for (const threads of [1, 2, 64]) {
      const crew = { ...crewOf(pool, threads), threads };
      const running = [
        runSteps(store.maxSimSteps(query, slots, crew)),
        runSteps(store.rankSteps(query, slots, 7, crew)),
      ];
      // Space and slot of what goes are not used by what comes, before these have ended.
      const [slot] = store.add(tokenRows(random, 9, d), offsetsOf([9]));
      store.remove(slot!);
      const [next] = store.add(tokenRows(random, 9, d), offsetsOf([9]));
      expect(next).not.toBe(slot);
      expect(await Promise.all(running)).toEqual(expected);
      store.remove(next!);
    }
  }
  await lease.release();
});

test('adding in slices that is given up leaves nothing behind', () => {
  const store = newStore(4, 8);
  const [kept] = store.add(new Float32Array(8), offsetsOf([2]));
  const steps = store.addSteps(tokenRows(new Random(1), 30, 4), offsetsOf([10, 10, 10]));
  while (store.count < 3) expect(steps.next().done).toBe(false);
  steps.return(new Uint32Array(0));
  expect([store.count, store.countOf(kept!)]).toEqual([1, 2]);
});

test('tokens given away while they are added are refused, and none is stored', () => {
  const store = newStore(4, 32);
  const tokens = tokenRows(new Random(1), 30, 4);
  const steps = store.addSteps(tokens, offsetsOf([10, 10, 10]));
  while (store.count < 1) steps.next();
  structuredClone(tokens, { transfer: [tokens.buffer] });
  expect(errorOf(() => steps.next()).code).toBe('DIMENSION_MISMATCH');
  expect(store.count).toBe(0);
});

describe('misuse', () => {
  const store = newStore(4, 32);
  const [slot] = store.add(new Float32Array(8), offsetsOf([2]));
  const slots = Uint32Array.of(slot!);
  const row = new Float32Array(4);

  test.each<[string, () => unknown, string]>([
    ['dimensions', () => newStore(0, 32), 'INVALID_ARGUMENT'],
    ['bits', () => newStore(4, 7 as never), 'INVALID_ARGUMENT'],
    [
      'an option',
      () => new TokenStore({ dimensions: 4, bits: 8, speed: 1 } as never),
      'INVALID_ARGUMENT',
    ],
    [
      'tokens of a wrong type',
      () => store.add([1, 2] as never, offsetsOf([1])),
      'INVALID_ARGUMENT',
    ],
    ['half a row', () => store.add(new Float32Array(6), offsetsOf([1])), 'DIMENSION_MISMATCH'],
    ['offsets of a wrong type', () => store.add(row, [0, 1] as never), 'INVALID_ARGUMENT'],
    ['no offsets', () => store.add(new Float32Array(0), new Uint32Array(0)), 'INVALID_ARGUMENT'],
    ['offsets that end early', () => store.add(row, Uint32Array.of(0, 0)), 'INVALID_ARGUMENT'],
    ['offsets that begin late', () => store.add(row, Uint32Array.of(1, 1)), 'INVALID_ARGUMENT'],
    ['offsets that go down', () => store.add(row, Uint32Array.of(0, 2, 1)), 'INVALID_ARGUMENT'],
    [
      'NaN',
      () =>
        store.add(
          row.map(() => NaN),
          offsetsOf([1]),
        ),
      'INVALID_ARGUMENT',
    ],
    [
      'numbers too large',
      () =>
        store.add(
          row.map(() => 1e16),
          offsetsOf([1]),
        ),
      'INVALID_ARGUMENT',
    ],
    [
      'numbers beyond float16',
      () =>
        newStore(4, 16).add(
          row.map(() => 65_505),
          offsetsOf([1]),
        ),
      'INVALID_ARGUMENT',
    ],
    ['a slot without a document', () => store.remove(99), 'INVALID_ARGUMENT'],
    ['a slot that is none', () => store.countOf(0.5), 'INVALID_ARGUMENT'],
    ['an empty query', () => store.maxSim(new Float32Array(0), slots), 'INVALID_ARGUMENT'],
    [
      'an infinite query',
      () =>
        store.maxSim(
          row.map(() => Infinity),
          slots,
        ),
      'INVALID_ARGUMENT',
    ],
    [
      'a query of half a row',
      () => store.rank(new Float32Array(6), slots, 1),
      'DIMENSION_MISMATCH',
    ],
    ['slots of a wrong type', () => store.maxSim(row, [0] as never), 'INVALID_ARGUMENT'],
    ['an unknown slot', () => store.maxSim(row, Uint32Array.of(5)), 'INVALID_ARGUMENT'],
    ['k', () => store.rank(row, slots, 0), 'INVALID_ARGUMENT'],
  ])('%s', (_, run, code) => {
    expect(errorOf(run).code).toBe(code);
    expect([store.count, store.bytes > 0]).toEqual([1, true]);
  });

  test('no slots give no scores', () => {
    expect(store.maxSim(row, new Uint32Array(0)).length).toBe(0);
    expect(store.rank(row, new Uint32Array(0), 3).slots.length).toBe(0);
  });
});

test('an addition that is ended at any step leaves nothing', () => {
  const store = new TokenStore({ dimensions: 4, bits: 8, shared: false });
  const tokens = tokenRows(new Random(1), 6, 4);
  for (let steps = 1; ; steps++) {
    const adding = store.addSteps(tokens, offsetsOf([1, 2, 3]));
    let isDone = false;
    for (let step = 0; step < steps && !isDone; step++) isDone = adding.next().done === true;
    if (isDone) break;
    adding.return(new Uint32Array(0));
    expect([store.count, store.bytes], `${steps} steps`).toEqual([0, 0]);
  }
  expect(store.count).toBe(3);
});

test('a ranking that keeps many documents goes in slices, however short they are', () => {
  const store = newStore(4, 8);
  const [count, k] = [6000, 4000];
  const slots = store.add(
    tokenRows(new Random(1), count, 4),
    Uint32Array.from({ length: count + 1 }, (_, i) => i),
  );
  const query = tokenRows(new Random(2), 1, 4);
  const ranking = store.rankSteps(query, slots, k, ALONE);
  let slices = 0;
  let ranked = ranking.next();
  for (; !ranked.done; ranked = ranking.next()) slices++;
  // Each of them moves half of the list.
  expect(slices).toBeGreaterThan(1);
  const scores = [...store.maxSim(query, slots)].sort((a, b) => b - a);
  expect([...ranked.value.scores]).toEqual(scores.slice(0, k));
});

test('a query that finds no memory leaves that of smaller ones', () => {
  const { store, slots, query } = example(8, 8, 2, [3, 1, 4]);
  const before = store.rank(query, slots, 2);
  const full = new Error('no memory is left');
  store.kernels.alloc = () => {
    throw full;
  };
  const long = tokenRows(new Random(3), 5000, 8);
  for (let i = 0; i < 3; i++) expect(() => store.rank(long, slots, 2)).toThrow(full);
  expect(store.rank(query, slots, 2)).toEqual(before);
});
