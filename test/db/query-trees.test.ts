import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Prefetch, Query } from '../../src/db/query-types.js';
import { gaussians, idsOf, openHere } from './support.js';

const COUNT = 80;
const SIZE = 4;
const INDICES = 6;
const random = new Random(31);
const dense = gaussians(random, COUNT, SIZE);
const sparse = dense.map(() =>
  Array.from({ length: INDICES }, () => (random.below(3) === 0 ? random.below(9) - 4 : undefined)),
);
const numbers = dense.map((_, id) => (id % 9 === 0 ? undefined : (id * 37) % 50));
const queries = gaussians(random, 5, SIZE);

type Tree =
  | { kind: 'dense' | 'sparse'; query: number; limit: number; from: Tree[]; half: boolean }
  | { kind: 'fused' | 'ordered'; limit: number; from: Tree[]; half: boolean };

interface Scored {
  id: number;
  score: number;
}

const pairs = (values: readonly (number | undefined)[]) =>
  values.flatMap((value, index) => (value === undefined ? [] : [{ index, value }]));

function toQuery(tree: Tree): Prefetch {
  const { from, half, limit } = tree;
  const common = {
    limit,
    ...(from.length > 0 && { prefetch: from.map(toQuery) }),
    ...(half && { filter: { must: { key: 'half', match: { value: 0 } } } }),
  };
  if (!('query' in tree)) {
    return tree.kind === 'fused' ? { ...common, fusion: 'rrf' } : { ...common, orderBy: 'n' };
  }
  if (tree.kind === 'dense') {
    return { ...common, using: 'dense', vector: queries[tree.query]!, exact: true };
  }
  const entries = pairs(sparse[tree.query]!);
  const indices = [INDICES, ...entries.map(({ index }) => index)];
  const values = [1, ...entries.map(({ value }) => value)];
  return { ...common, using: 'sparse', vector: { indices, values } };
}

/** What a query means, in float64, over what was written. */
function meaning(tree: Tree, isAllowed: (id: number) => boolean): Scored[] {
  const allowed = (id: number) => isAllowed(id) && !(tree.half && id % 2 === 1);
  const lists = tree.from.map((one) => meaning(one, allowed));
  const found = new Set(lists.flat().map(({ id }) => id));
  const candidates = [...dense.keys()].filter(
    (id) => allowed(id) && (lists.length === 0 || found.has(id)),
  );
  const scored = candidates.flatMap((id) => {
    const score = scoreOf(tree, id, lists);
    return score === undefined ? [] : [{ id, score }];
  });
  return scored.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, tree.limit);
}

function scoreOf(tree: Tree, id: number, lists: readonly Scored[][]): number | undefined {
  if (tree.kind === 'ordered') return numbers[id] === undefined ? undefined : -numbers[id];
  if (tree.kind === 'dense') {
    return dense[id]!.reduce((sum, x, i) => sum + x * queries[tree.query]![i]!, 0);
  }
  if (tree.kind === 'sparse') {
    const shared = pairs(sparse[tree.query]!).filter(
      ({ index }) => sparse[id]![index] !== undefined,
    );
    if (shared.length === 0) return undefined;
    return shared.reduce((sum, { index, value }) => sum + value * sparse[id]![index]!, 0);
  }
  return lists.reduce((sum, list) => {
    const place = list.findIndex((one) => one.id === id);
    return place < 0 ? sum : sum + 1 / (place + 2);
  }, 0);
}

const { tree } = fc.letrec<{ tree: Tree; some: Tree[] }>((tie) => ({
  some: fc.array(tie('tree'), { maxLength: 3 }),
  tree: fc
    .oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({
        kind: fc.constantFrom('dense' as const, 'sparse' as const),
        query: fc.nat(4),
        limit: fc.integer({ min: 1, max: 40 }),
        from: fc.constant<Tree[]>([]),
        half: fc.boolean(),
      }),
      fc.record({
        kind: fc.constantFrom('dense' as const, 'sparse' as const),
        query: fc.nat(4),
        limit: fc.integer({ min: 1, max: 40 }),
        from: tie('some'),
        half: fc.boolean(),
      }),
      fc.record({
        kind: fc.constantFrom('fused' as const, 'ordered' as const),
        limit: fc.integer({ min: 1, max: 40 }),
        from: tie('some'),
        half: fc.boolean(),
      }),
    )
    // Nothing is fused of nothing.
    .map((one) =>
      one.kind === 'fused' && one.from.length === 0 ? { ...one, kind: 'ordered' } : one,
    ),
}));

test('queries of any stages are what their definition gives', async () => {
  const db = await openHere();
  const docs = await db.createCollection('docs', {
    vectors: { dense: { size: SIZE, distance: 'Dot' }, sparse: { sparse: {} } },
  });
  await docs.createPayloadIndex('n', 'integer');
  await docs.upsert(
    dense.map((vector, id) => {
      const entries = pairs(sparse[id]!);
      const indices = entries.map(({ index }) => index);
      const values = entries.map(({ value }) => value);
      return {
        id,
        vector: { dense: vector, ...(indices.length > 0 && { sparse: { indices, values } }) },
        payload: { half: id % 2, n: numbers[id] ?? null },
      };
    }),
  );
  const equal = async (one: Tree) => {
    const hits = await docs.query(toQuery(one) as Query);
    const expected = meaning(one, () => true);
    expect(idsOf(hits)).toEqual(expected.map(({ id }) => id));
    if (one.kind === 'ordered') return;
    for (const [i, { score }] of hits.entries()) expect(score).toBeCloseTo(expected[i]!.score, 5);
  };
  await fc.assert(fc.asyncProperty(tree, equal), { seed: 17, numRuns: 400 });
});
