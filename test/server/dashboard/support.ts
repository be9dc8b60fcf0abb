import { type Server, serve } from '../../../src/server/index.js';
import { call } from '../support.js';

/** What would do something if a page took it for HTML or for a script. */
export const HOSTILE = [
  '<img src=x onerror="window.hacked = true">',
  '<script>window.hacked = true</script>',
  '"><svg onload="window.hacked = true">',
  "'-window.hacked=true-'",
  'javascript:window.hacked=true',
];

export const SIZE = 128;
const COUNT = 3000;
/** Of a collection: with what means something in addresses and in HTML. */
export const ODD_NAME = "odd 'name' #1 & 50% é;";
/** Beyond what a number of JavaScript tells apart. */
export const BIG_ID = '18446744073709551557';

/** Pseudo-random numbers of the same sequence at every run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Clustered vectors of falling variance, with payloads of which some are hostile. */
function madeUpPoints() {
  const random = randomOf(7);
  const around = (spread: number) => (random() + random() + random() - 1.5) * spread;
  const centres = Array.from({ length: 20 }, () => Array.from({ length: SIZE }, () => around(1)));
  return Array.from({ length: COUNT }, (_, i) => ({
    id: i + 1,
    vector: centres[i % centres.length]!.map((x, j) => (x + around(0.7)) / (1 + j / 4)),
    payload: {
      lang: ['en', 'de', 'fr'][i % 3],
      year: 1990 + (i % 35),
      text: `a note about ${['rivers', 'birds', 'engines', 'harbours'][i % 4]} number ${i + 1}`,
      ...(i < HOSTILE.length && { title: HOSTILE[i], [HOSTILE[i]!]: i }),
    },
  }));
}

/** Fills a server with `notes`, which has a graph and a text index, and an empty collection. */
export async function fill(server: Server, headers: Record<string, string> = {}): Promise<void> {
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await call(server, method, path, body, headers);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.text}`);
  };
  await send('PUT', '/collections/notes', {
    vectors: { size: SIZE, distance: 'Cosine' },
    quantization_config: { leanvec: { exact_below: 1000 } },
  });
  await send('PUT', '/v1/collections/notes/text-indexes/text', {});
  await send('PUT', '/collections/notes/index', { field_name: 'year', field_schema: 'integer' });
  await send('PUT', '/collections/notes/points?wait=true', { points: madeUpPoints() });
  const big = JSON.stringify({ vector: new Array(SIZE).fill(0.5), payload: { lang: 'big' } });
  const points = `{"points":[{"id":${BIG_ID},${big.slice(1)}]}`;
  const answer = await call(server, 'PUT', '/collections/notes/points?wait=true', points, {
    'content-type': 'application/json',
    ...headers,
  });
  if (answer.status !== 200) throw new Error(answer.text);
  await send('POST', '/v1/collections/notes/optimize?timeout=120', {});
  await send('PUT', '/collections/empty', {
    vectors: { title: { size: 4, distance: 'Dot' }, body: { size: 8, distance: 'Euclid' } },
  });
  const odd = `/collections/${encodeURIComponent(ODD_NAME)}`;
  const multivector_config = { comparator: 'max_sim' };
  await send('PUT', odd, {
    vectors: { tokens: { size: 2, distance: 'Dot', multivector_config } },
    sparse_vectors: { words: {} },
  });
  const point = {
    tokens: [
      [1, 0],
      [0, 1],
    ],
    words: { indices: [3], values: [1] },
  };
  await send('PUT', `${odd}/points?wait=true`, {
    points: [
      { id: 1, vector: point },
      { id: 2, vector: point },
    ],
  });
}

export const serveQuietly = (options = {}): Promise<Server> =>
  serve(':memory:', { port: 0, logLevel: 'silent', ...options });
