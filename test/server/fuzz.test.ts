import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/server/endpoints.js';
import type { Server } from '../../src/server/index.js';
import { serveHere } from './support.js';

/** Requests of all kinds; LEANDEX_FUZZ and LEANDEX_SEED set others, for a long run. */
const RUNS = Number(process.env.LEANDEX_FUZZ ?? 1500);
const SEED = Number(process.env.LEANDEX_SEED ?? 7);
const HARMLESS = [501, 503, 507];

const edgy = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    '',
    'a',
    '__proto__',
    'é\u0000',
    [],
    {},
    [[]],
  ),
  fc.array(fc.double(), { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
);

const id = fc.oneof(fc.nat(5), fc.uuid(), fc.constant('18446744073709551615'), edgy);
const vector = fc.oneof(fc.constant([1, 2]), fc.array(fc.float(), { maxLength: 3 }), edgy);
const key = fc.constantFrom('n', 'a.b', 'a[]', 'a[0]', '"', '', '[[', '__proto__.x');

const filter: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'filter' },
    fc.record({
      key,
      match: fc.dictionary(fc.constantFrom('value', 'any', 'text', 'prefix'), edgy),
    }),
    fc.record({ key, range: fc.dictionary(fc.constantFrom('gt', 'gte', 'lt', 'x'), edgy) }),
    fc.record({ key, geo_radius: edgy, values_count: edgy }, { requiredKeys: [] }),
    fc.record({ has_id: fc.oneof(fc.array(id, { maxLength: 3 }), edgy) }),
    fc.record({ nested: fc.record({ key, filter: tie('clauses') }) }),
    tie('clauses'),
    edgy,
  ),
  clauses: fc.dictionary(
    fc.constantFrom('must', 'should', 'must_not', 'min_should', 'other'),
    fc.oneof(tie('condition'), fc.array(tie('condition'), { maxLength: 3 })),
    { maxKeys: 3 },
  ),
})).clauses;

const pair = fc.record({ positive: fc.oneof(id, vector), negative: fc.oneof(id, vector) });
const anyQuery = fc.oneof(
  vector,
  id,
  fc.record(
    {
      nearest: vector,
      mmr: fc.record({ diversity: edgy, candidates_limit: edgy }, { requiredKeys: [] }),
    },
    { requiredKeys: ['nearest'] },
  ),
  fc.record({ fusion: fc.constantFrom('rrf', 'dbsf', 'x') }),
  fc.record({ rrf: fc.record({ k: edgy, weights: edgy }, { requiredKeys: [] }) }),
  fc.record({ order_by: fc.oneof(key, fc.record({ key, direction: edgy, start_from: edgy })) }),
  fc.record({
    recommend: fc.record({
      positive: fc.array(fc.oneof(id, vector), { maxLength: 2 }),
      negative: fc.array(fc.oneof(id, vector), { maxLength: 2 }),
      strategy: fc.constantFrom('average_vector', 'best_score', 'sum_scores', null, 1),
    }),
  }),
  fc.record({ discover: fc.record({ target: fc.oneof(id, vector), context: fc.array(pair) }) }),
  fc.record({ context: fc.oneof(pair, fc.array(pair, { maxLength: 3 }), edgy) }),
  fc.record({
    relevance_feedback: fc.record({
      target: vector,
      feedback: fc.array(fc.record({ example: fc.oneof(id, vector), score: fc.double() })),
      strategy: fc.constantFrom({ naive: { a: 1, b: 0.5, c: 1 } }, { naive: { b: -1 } }, {}),
    }),
  }),
  fc.record({ sample: fc.constantFrom('random', 'x') }),
  fc.record({
    formula: fc.oneof(
      fc.constantFrom('$score', 'n', 1),
      fc.dictionary(fc.constantFrom('sum', 'mult', 'div', 'abs', 'ln', 'x'), edgy, { maxKeys: 2 }),
      edgy,
    ),
    defaults: fc.oneof(fc.dictionary(key, edgy), edgy),
  }),
  fc.record({ text: fc.record({ field: key, match: fc.string() }) }),
);
const prefetch = fc.record({ query: anyQuery, limit: fc.nat(5), filter }, { requiredKeys: [] });

/** Members that requests have, each with what may be in it, and with anything else. */
const MEMBERS: Record<string, fc.Arbitrary<unknown>> = {
  points: fc.array(fc.oneof(id, fc.record({ id, vector, payload: edgy }, { requiredKeys: [] })), {
    maxLength: 3,
  }),
  ids: fc.array(id, { maxLength: 3 }),
  batch: fc.record(
    { ids: fc.array(id), vectors: fc.array(vector), payloads: edgy },
    { requiredKeys: [] },
  ),
  vector,
  vectors: fc.oneof(
    fc.constant({ size: 2, distance: 'Dot' }),
    fc.record({ size: edgy, distance: edgy }),
    edgy,
  ),
  query: anyQuery,
  prefetch: fc.oneof(prefetch, fc.array(prefetch, { maxLength: 2 }), edgy),
  update_mode: fc.constantFrom('upsert', 'insert_only', 'update_only', 'x'),
  update_filter: filter,
  score_threshold: fc.oneof(fc.double(), edgy),
  sample: fc.oneof(fc.nat(20), edgy),
  lookup_from: fc.record({ collection: fc.constantFrom('a', 'b'), vector: edgy }),
  order_by: fc.oneof(key, edgy),
  filter,
  limit: fc.oneof(fc.nat(20), edgy),
  offset: fc.oneof(fc.nat(20), id),
  params: fc.dictionary(fc.constantFrom('exact', 'hnsw_ef', 'quantization'), edgy),
  with_payload: edgy,
  with_vector: edgy,
  payload: fc.oneof(fc.dictionary(key, edgy), edgy),
  key,
  keys: fc.array(key, { maxLength: 2 }),
  group_by: key,
  group_size: fc.nat(5),
  field_name: key,
  field_schema: fc.oneof(fc.constantFrom('keyword', 'integer', 'text', 'nonsense'), edgy),
  location: fc.constantFrom(
    '../../etc/passwd',
    'file:///etc/passwd',
    'http://127.0.0.1/x',
    '\u0000',
  ),
  searches: fc.array(
    fc.record({ query: vector, vector, filter, limit: fc.nat(3) }, { requiredKeys: [] }),
    { maxLength: 3 },
  ),
  operations: fc.array(
    fc.dictionary(fc.constantFrom('upsert', 'delete', 'set_payload', 'clear_payload'), edgy, {
      maxKeys: 2,
    }),
    { maxLength: 3 },
  ),
  actions: fc.array(fc.dictionary(fc.constantFrom('create_alias', 'delete_alias'), edgy), {
    maxLength: 2,
  }),
};

/** Mostly the members that the endpoint knows: others end at once. */
function bodyOf(names: readonly string[]): fc.Arbitrary<unknown> {
  const known = names.filter((name) => MEMBERS[name] !== undefined);
  const model = Object.fromEntries(known.map((name) => [name, MEMBERS[name]!]));
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(model, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.record(MEMBERS, { requiredKeys: [] }) },
    { weight: 1, arbitrary: edgy },
  );
}

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', '1', '0') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('%', '%00', '..%2f..', '%ff', 'a'.repeat(300), '', '.', '\u00e9'),
  },
  { weight: 1, arbitrary: fc.webSegment() },
);

const request = fc.constantFrom(...ENDPOINTS).chain(({ method, path, body }) => {
  const names = path.match(/\{\w+\}/g) ?? [];
  const properties = Object.keys((body?.properties as object | undefined) ?? {});
  return fc.record({
    method: fc.oneof(
      { weight: 9, arbitrary: fc.constant(String(method)) },
      { weight: 1, arbitrary: fc.constantFrom('PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS') },
    ),
    path: fc.tuple(...names.map(() => part)).map((parts) => {
      let i = 0;
      return path.replaceAll(/\{\w+\}/g, () => parts[i++]!);
    }),
    query: fc.oneof(
      { weight: 4, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '?wait=true',
          '?wait=x',
          '?timeout=5',
          '?timeout=-1',
          '?%',
          '?a[]=1',
          '?__proto__=1',
        ),
      },
    ),
    body: bodyOf(properties),
    extra: fc.dictionary(
      fc.constantFrom('api-key', 'authorization', 'range', 'x-forwarded-for', 'if-match', 'x'),
      fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '')),
      { maxKeys: 2 },
    ),
    form: fc.constantFrom('json', 'json', 'json', 'msgpack', 'cut', 'wrong', 'multipart'),
    accept: fc.constantFrom('*/*', 'application/json', 'application/msgpack'),
  });
});

type Made = typeof request extends fc.Arbitrary<infer T> ? T : never;

async function send({ url }: Server, made: Made) {
  const { method, path, query, body, form, accept, extra } = made;
  const text = JSON.stringify(body) ?? '';
  const packed = () => Buffer.from(encode(body, { ignoreUndefined: true }));
  const forms = {
    json: ['application/json', () => text],
    msgpack: ['application/msgpack', packed],
    cut: ['application/json', () => text.slice(0, text.length / 2)],
    wrong: ['application/msgpack', () => text],
    multipart: ['multipart/form-data; boundary=x', () => `--x\r\n${text}\r\n--x--`],
  } as const;
  const [type, make] = forms[form];
  const isBodyless = method === 'GET';
  const headers = { ...extra, accept, ...(isBodyless ? {} : { 'content-type': type }) };
  return fetch(url + encodeURI(path).replaceAll('%25', '%') + query, {
    method,
    headers,
    ...(isBodyless ? {} : { body: make() }),
  });
}

test('no request is answered 500, and the server goes on', async () => {
  const server = await serveHere();
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ vectors: { size: 2, distance: 'Dot' } });
  const counts = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async (made) => {
      // Without it most would only be told that there is no collection.
      await fetch(`${server.url}/collections/a`, { method: 'PUT', headers, body });
      const response = await send(server, made);
      counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
      await response.arrayBuffer();
      const isFine = response.status < 500 || HARMLESS.includes(response.status);
      expect(isFine, `${response.status}`).toBe(true);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  if (RUNS > 10_000) console.log(`${RUNS} requests:`, Object.fromEntries(counts));
  // It is no fuzz that gets nowhere.
  for (const status of [200, 400, 404]) expect(counts.get(status)).toBeGreaterThan(RUNS / 20);
  const { status } = await fetch(`${server.url}/readyz`);
  expect(status).toBe(200);
});

test.each([
  ['arrays', '['.repeat(50_000)],
  ['arrays that end', '['.repeat(50_000) + ']'.repeat(50_000)],
  ['objects', '{"must":'.repeat(20_000)],
  ['filters', `${'{"filter":'}${'{"must":'.repeat(20_000)}{}${'}'.repeat(20_000)}}`],
  [
    'filters around an id of 64 bits',
    `${'{"filter":'}${'{"must":'.repeat(20_000)}{"has_id":[18446744073709551615]}${'}'.repeat(20_000)}}`,
  ],
  [
    'payloads',
    `{"points":[{"id":1,"vector":[1],"payload":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}]}`,
  ],
])('%s nested deep are refused', async (_, body) => {
  const server = await serveHere();
  const vectors = { size: 1, distance: 'Dot' };
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.url}/collections/a`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ vectors }),
  });
  for (const [method, path] of [
    ['POST', '/count'],
    ['PUT', ''],
    ['POST', '/query'],
  ] as const) {
    const url = `${server.url}/collections/a/points${path}`;
    const { status } = await fetch(url, { method, headers, body });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  }
});
