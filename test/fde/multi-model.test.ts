import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { LeanMultiIndex, type LeanMultiIndexOptions } from '../../src/index.js';
import {
  build,
  closeAtEnd,
  codeOf,
  expectBest,
  expectExact,
  kept,
  Mirror,
  queryOf,
  SMALL,
  saved,
  single,
  some,
  sourceOf,
} from './multi-support.js';

closeAtEnd();

const kinds = ['add', 'addGiven', 'update', 'delete', 'compact', 'save', 'toBytes'] as const;
const operation = fc.record({
  kind: fc.constantFrom(...kinds),
  seed: fc.integer({ min: 1, max: 1e6 }),
  count: fc.integer({ min: 0, max: 9 }),
  /** Turns of the event loop until it is aborted. */
  turns: fc.option(fc.nat(4), { nil: undefined }),
  /** Whether a token is not a number. */
  isWrong: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** An index and what it should hold. */
interface Pair {
  index: LeanMultiIndex;
  mirror: Mirror;
  nextId: number;
}

/** The signal of an operation, which may fire while it runs. */
function signalOf({ turns }: Operation): { signal?: AbortSignal } {
  if (turns === undefined) return {};
  const stop = new AbortController();
  let left = turns;
  const turn = () => void (left-- === 0 ? stop.abort() : setImmediate(turn));
  turn();
  return { signal: stop.signal };
}

/** Whether it was done; if not, it was for a good reason. */
async function isDone(operation: Operation, run: () => Promise<unknown>): Promise<boolean> {
  const code = await codeOf(run);
  if (code === undefined) expect(operation.isWrong && operation.count > 0).toBe(false);
  else if (code === 'ABORTED') expect(operation.turns).toBeDefined();
  else expect([code, operation.isWrong]).toEqual(['INVALID_ARGUMENT', true]);
  return code === undefined;
}

/** Some live ids, in an order of their own. */
function chosen({ mirror }: Pair, { seed, count }: Operation): number[] {
  const random = new Random(seed);
  return mirror.ids.filter(() => random.below(mirror.ids.length) < count);
}

async function add(pair: Pair, operation: Operation): Promise<void> {
  const { seed, count, kind, isWrong } = operation;
  const sets = some(seed, count);
  const given = { ...sets, tokens: sets.tokens.slice() };
  if (isWrong) given.tokens.fill(Number.NaN, given.tokens.length - 1);
  const free = (id: number) => !pair.mirror.documents.has(id);
  const wanted = Array.from({ length: count }, (_, i) => (seed % 50) + 7 * (count - i)).filter(
    free,
  );
  const isGiven = kind === 'addGiven' && wanted.length === count;
  const ids = isGiven ? wanted : Array.from({ length: count }, (_, i) => pair.nextId + i);
  let added: Uint32Array | undefined;
  const options = { ...signalOf(operation), ...(isGiven && { ids: Uint32Array.from(ids) }) };
  const run = async () => {
    added = await pair.index.add(given, options);
  };
  if (!(await isDone(operation, run))) return;
  // Ids that an aborted addition was to get are not given again.
  const first = added![0] ?? 0;
  const expected = isGiven ? ids : Array.from(ids, (_, i) => Math.max(first, pair.nextId) + i);
  expect([...added!]).toEqual(expected);
  pair.mirror.set(expected, sets);
  pair.nextId = Math.max(pair.nextId, ...expected.map((id) => id + 1));
}

async function update(pair: Pair, operation: Operation): Promise<void> {
  for (const id of chosen(pair, operation)) {
    const tokens = queryOf(operation.seed + id, 1 + operation.count);
    const given = operation.isWrong ? tokens.map(() => Number.NaN) : tokens;
    const run = () => pair.index.update(id, given, signalOf(operation));
    if (await isDone(operation, run)) pair.mirror.set([id], single(tokens));
  }
}

async function remove(pair: Pair, operation: Operation): Promise<void> {
  const ids = chosen(pair, operation);
  // Those that were deleted before count for nothing.
  const code = await codeOf(async () => {
    expect(await pair.index.delete([...ids, ...ids], signalOf(operation))).toBe(ids.length);
  });
  // An abort before the call ends it; one after that only ends the repair.
  if (code !== undefined) expect([code, operation.turns]).toEqual(['ABORTED', expect.anything()]);
  if (code !== 'ABORTED' || operation.turns !== 0) {
    for (const id of ids) pair.mirror.documents.delete(id);
  }
}

async function reload(pair: Pair, { kind, seed }: Operation): Promise<void> {
  const bytes = kind === 'save' ? await saved(pair.index, { meta: { seed } }) : undefined;
  if (bytes === undefined) {
    pair.index = kept(LeanMultiIndex.fromBytes(pair.index.toBytes()));
    return;
  }
  const { index, meta } = await LeanMultiIndex.load(sourceOf(bytes));
  expect(meta).toEqual({ seed });
  pair.index = kept(index);
}

async function apply(pair: Pair, operation: Operation): Promise<void> {
  const { kind } = operation;
  if (kind === 'add' || kind === 'addGiven') await add(pair, operation);
  else if (kind === 'update') await update(pair, operation);
  else if (kind === 'delete') await remove(pair, operation);
  else if (kind === 'compact') {
    const code = await codeOf(() => pair.index.compact(signalOf(operation)));
    if (operation.turns === undefined) expect(code).toBeUndefined();
  } else await reload(pair, operation);
}

describe('any history, aborts and failures in it', () => {
  test.each<[string, Partial<LeanMultiIndexOptions>]>([
    ['exact', {}],
    ['a graph from the start', { exactBelow: 0 }],
    ['exact, then a graph', { exactBelow: 45 }],
    ['a graph of two shards', { exactBelow: 20, shards: 2 }],
  ])('gives what a map and float64 MaxSim give: %s', async (_, options) => {
    const property = fc.asyncProperty(
      fc.array(operation, { minLength: 2, maxLength: 14, size: 'max' }),
      async (operations) => {
        const first = some(9, 30);
        const index = await build(first, { tokenBits: 32, fde: SMALL, ...options });
        const pair: Pair = { index, mirror: new Mirror(), nextId: 30 };
        pair.mirror.set(index.ids(), first);
        for (const [at, each] of operations.entries()) {
          await apply(pair, each);
          expect(pair.index.count).toBe(pair.mirror.documents.size);
          expect([...pair.index.ids()]).toEqual(pair.mirror.ids);
          expectExact(pair.index, pair.mirror, at);
        }
        const all = Math.max(1, pair.index.count);
        const query = queryOf(3, 7);
        const result = await pair.index.searchAsync(query, all, { candidates: all, ef: all });
        expectBest(result, pair.mirror.best(query, all));
        const tokens = [...pair.mirror.documents.values()].reduce((n, t) => n + t.length, 0);
        expect(pair.index.stats().tokens).toBe(tokens / pair.index.dimensions);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 30 });
  });
});
