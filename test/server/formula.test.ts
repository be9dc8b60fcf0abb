import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type Server, serve } from '../../src/server/index.js';
import { readFormula } from '../../src/server/qdrant/formula.js';
import { call } from './support.js';

/** An expression, and what it is, computed beside it. */
interface Made {
  formula: unknown;
  value: number;
}

const SCORES = [0.5, -2];
const PAYLOAD = { price: 3, deep: { n: -4 }, text: 'x' };

const leaf: fc.Arbitrary<Made> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((x) => ({ formula: x, value: x })),
  fc.constantFrom(
    { formula: '$score', value: 0.5 },
    { formula: '$score[0]', value: 0.5 },
    { formula: '$score[1]', value: -2 },
    { formula: '$score[2]', value: 7 },
    { formula: 'price', value: 3 },
    { formula: 'deep.n', value: -4 },
    { formula: 'absent', value: 11 },
    { formula: 'text', value: 13 },
  ),
);
const DEFAULTS = { '$score[2]': 7, absent: 11, text: 13, price: 99 };

const expression = fc.letrec<{ any: Made }>((tie) => {
  const one = (name: string, of: (x: number) => number) =>
    tie('any').map(({ formula, value }) => ({ formula: { [name]: formula }, value: of(value) }));
  const two = fc.tuple(tie('any'), tie('any'));
  const list = fc.array(tie('any'), { maxLength: 3 });
  return {
    any: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      one('neg', (x) => -x),
      one('abs', (x) => Math.abs(x)),
      one('exp', (x) => Math.E ** x),
      list.map((parts) => ({
        formula: { sum: parts.map(({ formula }) => formula) },
        value: parts.reduce((sum, { value }) => sum + value, 0),
      })),
      list.map((parts) => ({
        formula: { mult: parts.map(({ formula }) => formula) },
        value: parts.reduce((product, { value }) => product * value, 1),
      })),
      two.map(([left, right]) => ({
        formula: { div: { left: left.formula, right: right.formula, by_zero_default: 5 } },
        value: right.value === 0 ? 5 : left.value / right.value,
      })),
      two.map(([base, exponent]) => ({
        formula: { pow: { base: base.formula, exponent: exponent.formula } },
        value: base.value ** exponent.value,
      })),
    ),
  };
}).any;

test('expressions are what they say', () => {
  fc.assert(
    fc.property(expression, ({ formula, value }) => {
      const read = readFormula('query', { formula, defaults: DEFAULTS });
      if (!Number.isFinite(value)) {
        expect(() => read.score(SCORES, PAYLOAD)).toThrow('finite');
        return;
      }
      const found = read.score(SCORES, PAYLOAD);
      expect(Math.abs(found - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
    }),
    { seed: 2, numRuns: 500 },
  );
});

test.each([
  [{ formula: 'absent' }, 'absent has no number'],
  [{ formula: { div: { left: 1, right: 0 } } }, 'division by zero'],
  [{ formula: { ln: 0 } }, 'finite'],
])('%j has no value', (query, message) => {
  expect(() => readFormula('query', query).score([1], null)).toThrow(message);
});

test.each([
  [{ formula: { gauss_decay: { x: 'n' } } }],
  [{ formula: { sum: [1], mult: [2] } }],
  [{ formula: { sum: 1 } }],
  [{ formula: { div: { left: 1, right: 2, other: 3 } } }],
  [{ formula: 'a[0]' }],
  [{ formula: true }],
  [{ formula: 1, other: 2 }],
  [{ formula: 1, defaults: [] }],
])('%j is refused', (query) => {
  expect(() => readFormula('query', query)).toThrow();
});

let server: Server;
const PATH = '/collections/docs/points/query';

beforeAll(async () => {
  server = await serve(':memory:', { port: 0, logLevel: 'silent' });
  await call(server, 'PUT', '/collections/docs', { vectors: { size: 2, distance: 'Dot' } });
  const points = [1, 2, 3, 4].map((id) => ({
    id,
    vector: [id, -id],
    payload: { rank: 10 - id, kind: id % 2 },
  }));
  await call(server, 'PUT', '/collections/docs/points', { points });
  return () => server.close();
});

async function query(body: object) {
  const answer = await call(server, 'POST', PATH, body);
  expect(answer.status, answer.text).toBe(200);
  const points = answer.body.result.points as { id: number; score: number }[];
  return points.map(({ id, score }) => [id, score]);
}

test('scores of prefetches and numbers of payloads are computed with', async () => {
  const prefetch = [
    { query: [1, 0], limit: 3 },
    { query: [0, 1], limit: 2 },
  ];
  const formula = { sum: [{ mult: [2, '$score[0]'] }, '$score[1]', 'rank'] };
  const defaults = { '$score[0]': 0, '$score[1]': 0 };
  const body = { prefetch, query: { formula, defaults } };
  // [1, 0] finds 4, 3, 2, and [0, 1] finds 1, 2.
  const all = [
    [4, 8 + 6],
    [3, 6 + 7],
    [2, 4 - 2 + 8],
    [1, -1 + 9],
  ];
  expect(await query(body)).toEqual(all);
  expect(await query({ ...body, offset: 1, limit: 2 })).toEqual(all.slice(1, 3));
  expect(await query({ ...body, score_threshold: 13 })).toEqual(all.slice(0, 2));
  const filter = { must: [{ key: 'kind', match: { value: 0 } }] };
  // Both prefetches find both that match.
  expect(await query({ ...body, filter })).toEqual([
    [4, 8 - 4 + 6],
    [2, 4 - 2 + 8],
  ]);
});

test('a prefetch without a query is points by id', async () => {
  const body = { prefetch: { limit: 2 }, query: { formula: 'rank' } };
  expect(await query(body)).toEqual([
    [1, 9],
    [2, 8],
  ]);
});

test.each([
  ['no prefetch', { query: { formula: 1 } }],
  ['a part of another', { prefetch: { query: { formula: 1 } }, query: { fusion: 'rrf' } }],
  ['params', { prefetch: {}, query: { formula: 1 }, params: { exact: true } }],
])('%s is refused', async (_, body) => {
  expect((await call(server, 'POST', PATH, body)).status).toBe(400);
});
