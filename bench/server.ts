import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from '@msgpack/msgpack';
import { generateSpectrum } from '../datasets/generate.js';
import type { Collection } from '../src/db/collection.js';
import { open } from '../src/index.js';
import { TEXT_LIKE } from './cases.js';
import { table } from './markdown.js';
import { createClient } from './server/client.js';
import { type Load, load } from './server/load.js';
import { type Sidecar, startEcho, startServer } from './server/sidecar.js';
import { stampOf, writeStamped } from './stamped.js';
import { median } from './statistics.js';

/**
 * The server on loopback against the engine in process, and against the framework alone: queries in
 * batches of 64 and one by one, as JSON and as msgpack. Client and server share the machine's cores,
 * and every request is encoded and every answer decoded by the client. The kinds take turns; medians.
 * `npm run bench:server [points] [dimensions] [rounds]`, by default 100,000, 768 and 5.
 */

const COUNT = Number(process.argv[2] ?? 100_000);
const DIMENSIONS = Number(process.argv[3] ?? 768);
const ROUNDS = Number(process.argv[4] ?? 5);
const QUERIES = 1024;
const BATCH = 64;
const K = 10;
const SECONDS = 3;
/** Requests under way: of batches, and of single queries. */
const BATCHES_AT_ONCE = 4;
const SINGLES_AT_ONCE = 16;
const MSGPACK = 'application/msgpack';
const JSON_TYPE = 'application/json';

/** As `generated-100k-768` (cases.ts). */
const { corpus, queries } = generateSpectrum({
  count: COUNT,
  queries: QUERIES,
  dimensions: DIMENSIONS,
  ...TEXT_LIKE,
});
const rowOf = (rows: Float32Array, i: number) =>
  rows.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
/** As embeddings come from elsewhere: numbers of seven digits. */
const numbers = Array.from({ length: QUERIES }, (_, i) =>
  Array.from(rowOf(queries, i), (x) => Number(x.toPrecision(7))),
);
const bytes = Array.from({ length: QUERIES }, (_, i) => {
  const row = rowOf(queries, i);
  return new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
});
const batchOf = <T>(list: readonly T[], i: number): T[] =>
  Array.from({ length: BATCH }, (_, j) => list[(i * BATCH + j) % QUERIES]!);

async function fill(folder: string): Promise<void> {
  const db = await open(folder, { durability: 'process' });
  const docs = await db.createCollection('docs', {
    vectors: { size: DIMENSIONS, distance: 'Cosine' },
  });
  await docs.upsert(
    (function* () {
      for (let i = 0; i < COUNT; i++) yield { id: i, vector: rowOf(corpus, i) };
    })(),
  );
  await docs.optimize();
  await db.close();
}

/** What is measured, by name; a call is one request. */
function kindsOf(docs: Collection, server: Sidecar, echo: Sidecar) {
  const client = createClient(server.url);
  const echoed = createClient(echo.url);
  const batch = '/collections/docs/points/query/batch';
  const single = '/collections/docs/points/query';
  const asJson = async (to: typeof client, path: string, body: object) =>
    JSON.parse((await to.send('POST', path, JSON.stringify(body), JSON_TYPE)).toString()) as object;
  const asMsgpack = async (path: string, body: object) =>
    decode(await client.send('POST', path, encode(body), MSGPACK));
  const searches = (list: readonly unknown[]) => ({
    searches: list.map((query) => ({ query, limit: K })),
  });
  return {
    inProcess: (i: number) =>
      docs.queryBatch(
        batchOf(numbers, i).map((vector) => ({ vector, limit: K, withPayload: false })),
      ),
    batchMsgpack: (i: number) => asMsgpack(batch, searches(batchOf(bytes, i))),
    batchJson: (i: number) => asJson(client, batch, searches(batchOf(numbers, i))),
    singleInProcess: (i: number) =>
      docs.query({ vector: numbers[i % QUERIES]!, limit: K, withPayload: false }),
    singleMsgpack: (i: number) => asMsgpack(single, { query: bytes[i % QUERIES], limit: K }),
    singleJson: (i: number) => asJson(client, single, { query: numbers[i % QUERIES], limit: K }),
    echoJson: (i: number) => asJson(echoed, single, { query: numbers[i % QUERIES], limit: K }),
  };
}

type Kinds = ReturnType<typeof kindsOf>;
type Kind = keyof Kinds;

async function measure(
  kinds: Kinds,
  servers: { server: Sidecar; echo: Sidecar },
): Promise<Record<Kind, Load[]>> {
  const names = Object.keys(kinds) as Kind[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Load[]])) as never as Record<
    Kind,
    Load[]
  >;
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of names) {
      const isBatch = name === 'inProcess' || name.startsWith('batch');
      const atOnce = isBatch ? BATCHES_AT_ONCE : SINGLES_AT_ONCE;
      // The first round warms everything up.
      const seconds = round < 0 ? 1 : SECONDS;
      const other = name === 'echoJson' ? servers.echo : servers.server;
      const pid = name.toLowerCase().includes('inprocess') ? undefined : other.process.pid;
      const sample = await load(kinds[name], { seconds, atOnce, pid });
      if (round >= 0) samples[name].push(sample);
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  return samples;
}

const stamp = stampOf('server');
const folder = mkdtempSync(join(tmpdir(), 'leandex-bench-server-'));
const data = join(folder, 'data');
await fill(data);
const server = await startServer(data, '--log-level', 'error');
const db = await open(data, { readOnly: true });
const docs = await db.collection('docs');
const answerFile = join(folder, 'answer.json');
const firstAnswer = await createClient(server.url).send(
  'POST',
  '/collections/docs/points/query',
  JSON.stringify({ query: numbers[0], limit: K }),
  JSON_TYPE,
);
writeFileSync(answerFile, firstAnswer);
const echo = await startEcho(answerFile);
const samples = await measure(kindsOf(docs, server, echo), { server, echo });
await db.close();
await server.end();
await echo.end();
rmSync(folder, { recursive: true });

const middle = (name: Kind, of: keyof Load) => median(samples[name].map((sample) => sample[of]));
/** Requests a second where each takes what two kinds take, one after the other. */
const together = (of: keyof Load, a: Kind, b: Kind) => 1 / (1 / middle(a, of) + 1 / middle(b, of));

function sharesBy(of: keyof Load) {
  return {
    batchMsgpack: middle('batchMsgpack', of) / middle('inProcess', of),
    batchJson: middle('batchJson', of) / middle('inProcess', of),
    singleJsonOfEcho: middle('singleJson', of) / middle('echoJson', of),
    /** Of what there is where a search and an echo take turns on the same cores. */
    singleJsonOfBoth: middle('singleJson', of) / together(of, 'singleInProcess', 'echoJson'),
  };
}

const shares = { byTime: sharesBy('perSecond'), byProcessorTime: sharesBy('perProcessorSecond') };
const rows = (Object.keys(samples) as Kind[]).map((name) => {
  const perRequest = name === 'inProcess' || name.startsWith('batch') ? BATCH : 1;
  return {
    name,
    queriesPerSecond: Math.round(perRequest * middle(name, 'perSecond')),
    p50: middle(name, 'p50'),
    p99: middle(name, 'p99'),
    queriesPerProcessorSecond: Math.round(perRequest * middle(name, 'perProcessorSecond')),
    samples: samples[name],
  };
});
const result = {
  ...stamp,
  points: COUNT,
  dimensions: DIMENSIONS,
  k: K,
  batch: BATCH,
  batchesAtOnce: BATCHES_AT_ONCE,
  singlesAtOnce: SINGLES_AT_ONCE,
  seconds: SECONDS,
  rounds: ROUNDS,
  shares,
  rows,
};
writeStamped(result);
process.stdout.write(
  `${table(
    ['', 'queries/s', 'a processor second', 'ms of a request, p50', 'p99'],
    rows.map(({ name, queriesPerSecond, queriesPerProcessorSecond, p50, p99 }) => [
      name,
      queriesPerSecond.toLocaleString('en'),
      queriesPerProcessorSecond.toLocaleString('en'),
      p50.toFixed(1),
      p99.toFixed(1),
    ]),
  )}\n${JSON.stringify(shares)}\n`,
);
