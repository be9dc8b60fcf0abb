import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { LeanMultiIndex, type LeanMultiIndexOptions, type TokenSets } from '../../src/index.js';
import { chamfer, setAt, tokenSets, unitTokens } from './token-sets.js';

const D = 24;
const open: LeanMultiIndex[] = [];

/** Closed at the end. */
async function build(sets: TokenSets, options: Partial<LeanMultiIndexOptions> = {}) {
  const index = await LeanMultiIndex.build(sets, { dimensions: D, fdeDimensions: 640, ...options });
  open.push(index);
  return index;
}

afterAll(async () => {
  for (const index of open) await index.close();
});

/** Documents by id, with exact MaxSim in float64: what an index should hold. */
class Mirror {
  readonly documents = new Map<number, Float32Array>();

  set(ids: Iterable<number>, sets: TokenSets): void {
    let i = 0;
    for (const id of ids) this.documents.set(id, setAt(sets, i++, D).slice());
  }

  best(query: Float32Array, k: number, keep: (id: number) => boolean = () => true) {
    return [...this.documents]
      .filter(([id]) => keep(id))
      .map(([id, tokens]) => ({ id, score: chamfer(query, tokens, D) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k);
  }
}

const sizes = (random: Random, count: number) =>
  Array.from({ length: count }, () => 1 + random.below(12));

function some(seed: number, count: number): TokenSets {
  return tokenSets(seed, sizes(new Random(seed), count), D);
}

const single = (tokens: Float32Array): TokenSets => ({
  tokens,
  offsets: Uint32Array.of(0, tokens.length / D),
});

async function codeOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
  return undefined;
}

/** That a search with every document as candidate is exhaustive MaxSim. */
function expectExact(index: LeanMultiIndex, mirror: Mirror, seed: number): void {
  const query = unitTokens(new Random(seed), 5, D);
  const count = Math.max(1, mirror.documents.size);
  const { ids, scores } = index.search(query, Math.min(8, count), { candidates: count, ef: count });
  const expected = mirror.best(query, 8);
  expect([...ids]).toEqual(expected.map(({ id }) => id));
  expected.forEach(({ score }, i) => {
    expect(scores[i]).toBeCloseTo(score, 3);
  });
}

describe('searching', () => {
  // checks.md 4.9
  test.each([
    32, 16, 8, 4,
  ] as const)('all documents as candidates is MaxSim of the stored tokens, %s bits', async (tokenBits) => {
    const sets = some(1, 300);
    const index = await build(sets, { tokenBits });
    const mirror = new Mirror();
    for (const id of index.ids()) mirror.documents.set(id, index.tokensOf(id)!);
    for (let seed = 0; seed < 10; seed++) expectExact(index, mirror, seed);
  });

  test('in a graph finds what exhaustive MaxSim finds', async () => {
    // Documents around topics, as real ones are; queries are parts of documents, disturbed.
    const random = new Random(3);
    const topics = unitTokens(random, 150, D);
    const sets = some(4, 2500);
    for (let i = 0; i < 2500; i++) {
      const [a, b] = [random.below(150), random.below(150)];
      setAt(sets, i, D).forEach((x, j, tokens) => {
        const topic = j < tokens.length / 2 ? a : b;
        tokens[j] = 0.6 * x + topics[topic * D + (j % D)]!;
      });
    }
    const index = await build(sets, { tokenBits: 32, exactBelow: 500 });
    expect(index.stats().index.mode).toBe('graph');
    const mirror = new Mirror();
    mirror.set(index.ids(), sets);
    let found = 0;
    for (let q = 0; q < 40; q++) {
      const from = setAt(sets, random.below(2500), D);
      const query = from.map((x) => x + 0.1 * random.gaussian());
      const best = mirror.best(query, 1)[0]!.id;
      if (index.search(query, 1).ids[0] === best) found++;
    }
    expect(found).toBeGreaterThanOrEqual(38);
  });

  test('in another thread gives the same', async () => {
    const index = await build(some(5, 400));
    for (let seed = 0; seed < 5; seed++) {
      const query = unitTokens(new Random(seed), 4, D);
      const expected = index.search(query, 7, { candidates: 20 });
      expect(await index.searchAsync(query, 7, { candidates: 20 })).toEqual(expected);
    }
  });

  test('a document that is its own query comes first', async () => {
    const sets = some(6, 200);
    const index = await build(sets);
    for (let i = 0; i < 200; i += 17) {
      const tokens = setAt(sets, i, D);
      const { ids, scores } = index.search(tokens, 1);
      expect(ids[0]).toBe(i);
      expect(scores[0]).toBeCloseTo(tokens.length / D, 1);
    }
  });

  test('only among what is allowed, all of it where k is larger', async () => {
    const sets = some(7, 300);
    const index = await build(sets, { tokenBits: 32 });
    const mirror = new Mirror();
    mirror.set(index.ids(), sets);
    const allow = new Set([3, 70, 71, 299]);
    const query = unitTokens(new Random(1), 6, D);
    const expected = mirror.best(query, 9, (id) => allow.has(id)).map(({ id }) => id);
    expect([...index.search(query, 9, { allow }).ids]).toEqual(expected);
    const list = index.allowList(allow);
    expect([...index.search(query, 9, { allow: list }).ids]).toEqual(expected);
  });

  test('an empty index finds nothing', async () => {
    const index = await build({ tokens: new Float32Array(0), offsets: Uint32Array.of(0) });
    expect(index.count).toBe(0);
    expect(index.search(unitTokens(new Random(1), 2, D), 5).ids.length).toBe(0);
  });
});

describe('changing', () => {
  test('any sequence of writes leaves exactly what it should', async () => {
    const operation = fc.record({
      what: fc.constantFrom('add', 'update', 'delete', 'compact', 'reload'),
      seed: fc.integer({ min: 1, max: 1e6 }),
      count: fc.integer({ min: 0, max: 8 }),
    });
    const property = fc.asyncProperty(
      fc.array(operation, { minLength: 3, maxLength: 12 }),
      async (operations) => {
        const first = some(9, 30);
        let index = await build(first, { tokenBits: 32, exactBelow: 45 });
        const mirror = new Mirror();
        mirror.set(index.ids(), first);
        for (const { what, seed, count } of operations) {
          const living = [...mirror.documents.keys()];
          const random = new Random(seed);
          const chosen = living.filter(() => random.below(living.length) < count);
          if (what === 'add') mirror.set(await index.add(some(seed, count)), some(seed, count));
          if (what === 'update') {
            for (const id of chosen) {
              const tokens = unitTokens(random, 1 + count, D);
              await index.update(id, tokens);
              mirror.set([id], single(tokens));
            }
          }
          if (what === 'delete') {
            expect(await index.delete(chosen)).toBe(chosen.length);
            for (const id of chosen) mirror.documents.delete(id);
          }
          if (what === 'compact') await index.compact();
          if (what === 'reload') index = LeanMultiIndex.fromBytes(index.toBytes());
          expect(index.count).toBe(mirror.documents.size);
          expect([...index.ids()]).toEqual([...mirror.documents.keys()].sort((a, b) => a - b));
        }
        expectExact(index, mirror, 1);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 12 });
  });

  test('a deleted document is gone from the call on, also while others are added', async () => {
    const index = await build(some(10, 50));
    const query = index.tokensOf(7)!;
    const adding = index.add(some(11, 40));
    const deleting = index.delete([7]);
    expect(index.has(7)).toBe(false);
    expect([...index.search(query, 50).ids]).not.toContain(7);
    const added = await adding;
    expect(await deleting).toBe(1);
    expect(index.count).toBe(89);
    expect(added.length).toBe(40);
  });

  test('searches during a write never return what has no tokens', async () => {
    const index = await build(some(12, 60));
    const query = unitTokens(new Random(2), 3, D);
    const adding = index.add(some(13, 300));
    for (let i = 0; i < 20; i++) {
      const { ids, scores } = await index.searchAsync(query, 10);
      expect(ids.length).toBe(10);
      expect(scores.every(Number.isFinite)).toBe(true);
    }
    await adding;
    expect(index.count).toBe(360);
  });

  test('ids may be given; wrong ones change nothing', async () => {
    const index = await build(some(14, 5));
    expect([...(await index.add(some(15, 2), { ids: Uint32Array.of(90, 40) }))]).toEqual([90, 40]);
    expect(await codeOf(() => index.add(some(16, 1), { ids: Uint32Array.of(40) }))).toBe(
      'INVALID_ARGUMENT',
    );
    const { bytesPerDocument } = index.stats();
    expect([...index.ids()]).toEqual([0, 1, 2, 3, 4, 40, 90]);
    expect(bytesPerDocument.total).toBeGreaterThan(0);
  });

  test('what fails or is aborted leaves the index as it was', async () => {
    const index = await build(some(17, 20));
    const query = unitTokens(new Random(2), 3, D);
    const before = index.search(query, 20);
    const documents = index.ids().length;
    expect(await codeOf(() => index.update(77, unitTokens(new Random(1), 2, D)))).toBe('NOT_FOUND');
    expect(await codeOf(() => index.delete([500]))).toBe('INVALID_ARGUMENT');
    const bad = some(18, 3);
    bad.tokens[5] = Number.NaN;
    expect(await codeOf(() => index.add(bad))).toBe('INVALID_ARGUMENT');
    const signal = AbortSignal.abort();
    expect(await codeOf(() => index.add(some(19, 3), { signal }))).toBe('ABORTED');
    expect(index.search(query, 20)).toEqual(before);
    expect([index.count, index.ids().length]).toEqual([documents, documents]);
  });
});

describe('misuse', () => {
  test.each<[string, object]>([
    ['unknown options', { size: 3 }],
    ['another size', { fdeDimensions: 1000 }],
    ['other bits', { tokenBits: 5 }],
    ['a wrong encoding', { fde: { repetitions: -1 } }],
    ['an encoding with a seed', { fde: { seed: 3 } }],
    ['no dimensions', { dimensions: undefined }],
  ])('%s', async (_, options) => {
    const wrong = { dimensions: D, ...options } as LeanMultiIndexOptions;
    expect(await codeOf(() => LeanMultiIndex.build(some(1, 2), wrong))).toBe('INVALID_ARGUMENT');
  });

  test('documents without tokens, wrong offsets and lengths', async () => {
    const tokens = new Float32Array(3 * D).fill(1);
    const refuse = (offsets: unknown, rows: unknown = tokens) =>
      codeOf(() => build({ tokens: rows, offsets } as TokenSets));
    expect(await refuse(Uint32Array.of(0, 1, 1, 3))).toBe('INVALID_ARGUMENT');
    expect(await refuse(Uint32Array.of(0, 2))).toBe('INVALID_ARGUMENT');
    expect(await refuse([0, 3])).toBe('INVALID_ARGUMENT');
    expect(await refuse(Uint32Array.of(0, 3), tokens.subarray(1))).toBe('DIMENSION_MISMATCH');
    expect(await codeOf(() => build(undefined as never))).toBe('INVALID_ARGUMENT');
  });

  test('searches', async () => {
    const index = await build(some(2, 5));
    const query = unitTokens(new Random(1), 2, D);
    const refuse = (...given: unknown[]) =>
      codeOf(() => index.search(...(given as Parameters<typeof index.search>)));
    expect(await refuse(query, 0)).toBe('INVALID_ARGUMENT');
    expect(await refuse(query, 5, { candidates: 4 })).toBe('INVALID_ARGUMENT');
    expect(await refuse(query, 5, { rerank: 4 })).toBe('INVALID_ARGUMENT');
    expect(await refuse(query.subarray(1), 5)).toBe('DIMENSION_MISMATCH');
    expect(await refuse(query.subarray(0, 0), 5)).toBe('INVALID_ARGUMENT');
    expect(
      await refuse(
        query.map(() => Number.NaN),
        5,
      ),
    ).toBe('INVALID_ARGUMENT');
  });

  test('a closed index refuses everything but close()', async () => {
    const index = await build(some(3, 5));
    await index.close();
    await index.close();
    const tokens = unitTokens(new Random(1), 2, D);
    const calls = [
      () => index.search(tokens, 1),
      () => index.searchAsync(tokens, 1),
      () => index.add(single(tokens)),
      () => index.update(1, tokens),
      () => index.delete([1]),
      () => index.compact(),
      () => index.toBytes(),
      () => index.allowList([1]),
      () => index.tokensOf(1),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe('CLOSED');
  });
});
