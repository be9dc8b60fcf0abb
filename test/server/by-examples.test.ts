import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Server } from '../../src/server/index.js';
import { serve } from '../../src/server/index.js';
import { call } from './support.js';

const SIZE = 3;
const COUNT = 25;
const DISTANCES = ['Dot', 'Cosine', 'Euclid'] as const;
const random = new Random(11);
const someVector = () => Array.from({ length: SIZE }, () => random.gaussian());
const POINTS = Array.from({ length: COUNT }, (_, i) => ({
  id: i,
  vector: { Dot: someVector(), Cosine: someVector(), Euclid: someVector(), rows: [someVector()] },
  payload: { even: i % 2 === 0 },
}));

let server: Server;

beforeAll(async () => {
  server = await serve(':memory:', { port: 0, logLevel: 'silent' });
  const vectors = {
    ...Object.fromEntries(DISTANCES.map((distance) => [distance, { size: SIZE, distance }])),
    rows: { size: SIZE, distance: 'Dot', multivector_config: { comparator: 'max_sim' } },
  };
  await call(server, 'PUT', '/collections/docs', { vectors });
  await call(server, 'PUT', '/collections/docs/points', { points: POINTS });
  return () => server.close();
});

type Distance = (typeof DISTANCES)[number];
type Example = number | number[];

const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
/** In float64, by the definitions. */
const SIMILARITY: Record<Distance, (a: number[], b: number[]) => number> = {
  Dot: dot,
  Cosine: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  Euclid: (a, b) => -a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0),
};
const sigmoid = (x: number) => x / (1 + Math.abs(x));
const scaled = (x: number) => 0.5 * (sigmoid(x) + 1);

/** Scores of all points that are no examples, best first. */
function expected(
  distance: Distance,
  examples: Example[],
  score: (similar: (example: Example) => number) => number,
): { id: number; score: number }[] {
  const vectorOf = (example: Example) =>
    typeof example === 'number' ? POINTS[example]!.vector[distance] : example;
  return POINTS.filter(({ id }) => !examples.includes(id))
    .map(({ id, vector }) => ({
      id,
      score: score((example) => SIMILARITY[distance](vectorOf(example), vector[distance])),
    }))
    .sort((a, b) => b.score - a.score);
}

async function query(body: object) {
  const answer = await call(server, 'POST', '/collections/docs/points/query', body);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.result.points as { id: number; score: number }[];
}

function expectSame(found: { id: number; score: number }[], wanted: typeof found): void {
  expect(found).toHaveLength(wanted.length);
  // Rounding may change the places of points with nearly the same score.
  const scores = new Map(wanted.map(({ id, score }) => [id, score]));
  found.forEach(({ id, score }, i) => {
    expect(score).toBeCloseTo(wanted[i]!.score, 4);
    expect(score).toBeCloseTo(scores.get(id)!, 4);
  });
}

const example: fc.Arbitrary<Example> = fc.oneof(
  fc.nat(COUNT - 1),
  fc.array(fc.integer({ min: -4, max: 4 }), { minLength: SIZE, maxLength: SIZE }).map((vector) =>
    // One of zeros has no direction.
    vector.every((x) => x === 0) ? [1, 0, 0] : vector,
  ),
);
const pairs = fc.array(fc.record({ positive: example, negative: example }), {
  minLength: 1,
  maxLength: 3,
});
const distance = fc.constantFrom(...DISTANCES);
const listOf = (context: { positive: Example; negative: Example }[]) =>
  context.flatMap(({ positive, negative }) => [positive, negative]);

describe('scores are those of the definitions', () => {
  const check = (property: fc.IAsyncProperty<never>) =>
    fc.assert(property as fc.IAsyncProperty<unknown>, { seed: 5, numRuns: 40 });

  test.each(['best_score', 'sum_scores'] as const)('%s', (strategy) =>
    check(
      fc.asyncProperty(
        distance,
        fc.array(example, { minLength: 1, maxLength: 3 }),
        fc.array(example, { maxLength: 3 }),
        async (using, positive, negative) => {
          const recommend = { positive, negative, strategy };
          const found = await query({ query: { recommend }, using, limit: COUNT });
          const wanted = expected(using, [...positive, ...negative], (similar) => {
            const [liked, disliked] = [positive.map(similar), negative.map(similar)];
            if (strategy === 'sum_scores') {
              return [...liked, ...disliked.map((x) => -x)].reduce((sum, x) => sum + x, 0);
            }
            const [like, dislike] = [Math.max(...liked), Math.max(...disliked)];
            return like > dislike ? scaled(like) : -scaled(dislike);
          });
          expectSame(found, wanted);
        },
      ) as never,
    ));

  test('discover', () =>
    check(
      fc.asyncProperty(distance, example, pairs, async (using, target, context) => {
        const discover = { target, context };
        const found = await query({ query: { discover }, using, limit: COUNT });
        const wanted = expected(using, [target, ...listOf(context)], (similar) => {
          const ranks = context.map(({ positive, negative }) =>
            Math.sign(Math.fround(similar(positive)) - Math.fround(similar(negative))),
          );
          return ranks.reduce((sum, rank) => sum + rank, 0) + scaled(similar(target));
        });
        expectSame(found, wanted);
      }) as never,
    ));

  test('context', () =>
    check(
      fc.asyncProperty(distance, pairs, async (using, context) => {
        const found = await query({ query: { context }, using, limit: COUNT });
        const wanted = expected(using, listOf(context), (similar) =>
          context.reduce((sum, { positive, negative }) => {
            return sum + sigmoid(Math.min(similar(positive) - similar(negative), 0));
          }, 0),
        );
        expectSame(found, wanted);
      }) as never,
    ));

  test('relevance feedback', () =>
    check(
      fc.asyncProperty(distance, example, example, example, async (using, target, one, other) => {
        const feedback = [
          { example: one, score: 0.9 },
          { example: other, score: 0.4 },
        ];
        const strategy = { naive: { a: 0.5, b: 2, c: 3 } };
        const found = await query({
          query: { relevance_feedback: { target, feedback, strategy } },
          using,
          limit: COUNT,
        });
        const wanted = expected(using, [target, one, other], (similar) => {
          return 0.5 * similar(target) + 0.5 ** 2 * 3 * (similar(one) - similar(other));
        });
        expectSame(found, wanted);
      }) as never,
    ));
});

test('filters, offsets, thresholds and selections hold', async () => {
  const body = {
    query: { recommend: { positive: [[1, 0, 0]], strategy: 'sum_scores' } },
    using: 'Dot',
    filter: { must: [{ key: 'even', match: { value: true } }] },
    limit: COUNT,
  };
  const all = await query(body);
  expect(all.map(({ id }) => id % 2)).toEqual(Array(13).fill(0));
  expect(await query({ ...body, offset: 3, limit: 4 })).toEqual(all.slice(3, 7));
  const threshold = all[5]!.score;
  expect(await query({ ...body, score_threshold: threshold })).toEqual(all.slice(0, 6));
  const [first] = await query({ ...body, limit: 1, with_payload: true, with_vector: ['Dot'] });
  expect(first).toMatchObject({ payload: { even: true }, vector: { Dot: expect.any(Array) } });
});

test('of several vectors of a point the best counts', async () => {
  const discover = { target: [1, 2, 3], context: [{ positive: 3, negative: [0, 1, 0] }] };
  const found = await query({ query: { discover }, using: 'rows', limit: COUNT });
  expect(found).toHaveLength(COUNT - 1);
});

test('several of them in one request', async () => {
  const searches = [
    { query: { context: [{ positive: 1, negative: 2 }] }, using: 'Dot', limit: 3 },
    { query: [1, 0, 0], using: 'Dot', limit: 3 },
    { query: { sample: 'random' }, limit: 3 },
  ];
  const path = '/collections/docs/points/query/batch';
  const { body } = await call(server, 'POST', path, { searches });
  expect(body.result[0].points).toEqual(await query(searches[0]!));
  expect(body.result[1].points).toEqual(await query(searches[1]!));
  expect(body.result[2].points).toHaveLength(3);
});

test('a sample is some of the points that match, in any order, with the score 1', async () => {
  const filter = { must: [{ key: 'even', match: { value: true } }] };
  const counts = new Map<number, number>();
  for (let i = 0; i < 60; i++) {
    const found = await query({ query: { sample: 'random' }, filter, limit: 5 });
    expect(new Set(found.map(({ id }) => id)).size).toBe(5);
    expect(found.every(({ id, score }) => id % 2 === 0 && score === 1)).toBe(true);
    for (const { id } of found) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  // 300 draws among 13: none is left out but by a chance of 10^-12.
  expect(counts.size).toBe(13);
  const all = await query({ query: { sample: 'random' }, filter, limit: 100 });
  expect(all).toHaveLength(13);
});

describe('distance matrices', () => {
  test.each(DISTANCES)('of %s are exact', async (using) => {
    const path = '/collections/docs/points/search/matrix';
    const body = { sample: COUNT, limit: 4, using };
    const pairs = await call(server, 'POST', `${path}/pairs`, body);
    const score = (a: number, b: number) => {
      const x = SIMILARITY[using](POINTS[a]!.vector[using], POINTS[b]!.vector[using]);
      return using === 'Euclid' ? Math.sqrt(-x) : x;
    };
    const found = pairs.body.result.pairs as { a: number; b: number; score: number }[];
    expect(found).toHaveLength(4 * COUNT);
    for (let a = 0; a < COUNT; a++) {
      const scores = POINTS.filter(({ id }) => id !== a)
        .map(({ id }) => score(a, id))
        .sort((x, y) => (using === 'Euclid' ? x - y : y - x));
      found.slice(4 * a, 4 * a + 4).forEach((pair, i) => {
        expect(pair.a).toBe(a);
        expect(pair.score).toBeCloseTo(scores[i]!, 5);
        expect(pair.score).toBeCloseTo(score(a, pair.b), 5);
      });
    }
    const { result } = (await call(server, 'POST', `${path}/offsets`, body)).body;
    expect(result.ids).toEqual(POINTS.map(({ id }) => id));
    expect(result.scores).toEqual(found.map(({ score }) => score));
    expect(result.offsets_row).toEqual(found.map(({ a }) => a));
    expect(result.offsets_col).toEqual(found.map(({ b }) => b));
  });
});

test.each([
  ['an id that is not there', { context: [{ positive: 99, negative: 1 }] }, 404, '99'],
  ['other dimensions', { context: [{ positive: [1], negative: 1 }] }, 400, 'expected dim: 3'],
  ['no examples', { recommend: { strategy: 'best_score' } }, 422, 'at least one example'],
  ['a strategy that there is not', { recommend: { positive: [1], strategy: 'x' } }, 400, 'x'],
  ['half of a pair', { context: [{ positive: 1 }] }, 400, 'negative'],
  ['an unknown member', { discover: { target: 1, pairs: [] } }, 400, 'pairs'],
])('%s is refused', async (_, given, status, text) => {
  const body = { query: given, using: 'Dot' };
  const answer = await call(server, 'POST', '/collections/docs/points/query', body);
  expect(answer.status).toBe(status);
  expect(answer.body.status.error).toContain(text);
});

test('as parts of other queries they are refused', async () => {
  const part = { query: { context: [{ positive: 1, negative: 2 }] }, using: 'Dot' };
  const path = '/collections/docs/points/query';
  const fused = { prefetch: [part], query: { fusion: 'rrf' } };
  expect((await call(server, 'POST', path, fused)).status).toBe(400);
  const with_prefetch = { ...part, prefetch: [{ query: [1, 0, 0], using: 'Dot' }] };
  expect((await call(server, 'POST', path, with_prefetch)).status).toBe(400);
  const grouped = { ...part, group_by: 'even' };
  expect((await call(server, 'POST', `${path}/groups`, grouped)).status).toBe(400);
});
