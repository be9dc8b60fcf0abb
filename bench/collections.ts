import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { generateSpectrum } from '../datasets/generate.js';
import type { Collection } from '../src/db/collection.js';
import { exactNeighbours } from '../src/eval/ground-truth.js';
import { open } from '../src/index.js';
import { TEXT_LIKE } from './cases.js';
import { describeMachine } from './machine.js';
import { table } from './markdown.js';
import { median, percentile } from './statistics.js';

/**
 * Durable collections: ingestion in batches of 500 while queries go on, opening from what was saved,
 * and filtered queries against unfiltered ones.
 * `npm run bench:collections [points] [dimensions]`, by default 100,000 and 768.
 */

const COUNT = Number(process.argv[2] ?? 100_000);
const DIMENSIONS = Number(process.argv[3] ?? 768);
const BATCH = 500;
/** Batches on their way at once. */
const BATCHES_AT_ONCE = 4;
/** Points a second of the second ingestion, which leaves the machine some time. */
const RATE = 6000;
const QUERIES = 500;
/** Queries of the stream that goes on during ingestion: one every so many milliseconds. */
const STREAM_MS = 10;
const K = 10;
const SHARES = [0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001, 0.0001];
const ROUNDS = 5;

/** As `generated-100k-768` (cases.ts). */
const { corpus, queries } = generateSpectrum({
  count: COUNT,
  queries: QUERIES,
  dimensions: DIMENSIONS,
  ...TEXT_LIKE,
});
const vectorOf = (i: number) => corpus.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
const queryOf = (i: number) => {
  const at = i % QUERIES;
  return queries.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS);
};

/** A point is in share s where `rank` is below s of them all: ranks are spread over the ids. */
const rankOf = (id: number) => (id * 7919) % COUNT;
const payloadOf = (id: number) => ({ rank: rankOf(id), lang: ['en', 'de', 'fr'][id % 3]! });

const milliseconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1).toFixed(1);

/** @param rate points a second at the most */
async function ingest(docs: Collection, rate = Number.POSITIVE_INFINITY): Promise<string> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const latencies: number[] = [];
  let isRunning = true;
  const stream = (async () => {
    for (let i = 0; isRunning; i++) {
      const start = performance.now();
      await docs.query({ vector: queryOf(i), limit: K });
      latencies.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, STREAM_MS));
    }
  })();
  delay.enable();
  const start = performance.now();
  const underWay: Promise<unknown>[] = [];
  for (let from = 0; from < COUNT; from += BATCH) {
    const size = Math.min(BATCH, COUNT - from);
    const points = Array.from({ length: size }, (_, i) => ({
      id: from + i,
      vector: vectorOf(from + i),
      payload: payloadOf(from + i),
    }));
    if (underWay.length >= BATCHES_AT_ONCE) await underWay.shift();
    const early = start + (1000 * from) / rate - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    underWay.push(docs.upsert(points));
  }
  await Promise.all(underWay);
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  const after = monitorEventLoopDelay({ resolution: 1 });
  after.enable();
  while ((await docs.info()).status === 'building') {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  after.disable();
  const indexed = (performance.now() - start) / 1000;
  isRunning = false;
  await stream;
  const sorted = Float64Array.from(latencies).sort();
  return table(
    ['', ''],
    [
      ['points a second, acknowledged', Math.round(COUNT / seconds).toLocaleString('en')],
      ['seconds until all are in the graph', indexed.toFixed(1)],
      ['event loop late, ms, p50 / p99 / max', spread(delay)],
      ['the same while the rest is indexed', spread(after)],
      [
        `queries meanwhile, ms, p50 / p99 (${latencies.length})`,
        `${median(latencies).toFixed(1)} / ${percentile(sorted, 0.99).toFixed(1)}`,
      ],
    ],
  );
}

function spread(delay: ReturnType<typeof monitorEventLoopDelay>): string {
  return [delay.percentile(50), delay.percentile(99), delay.max].map(milliseconds).join(' / ');
}

/** Median milliseconds of a query, of those given, one at a time. */
async function latency(run: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < QUERIES; i++) {
    const start = performance.now();
    await run(i);
    times.push(performance.now() - start);
  }
  return median(times);
}

async function filtered(docs: Collection): Promise<string> {
  const plain: number[] = [];
  const times = SHARES.map(() => [] as number[]);
  const kept = SHARES.map(() => [] as number[]);
  // Each query has a filter of its own, so that no result of the one before is used again.
  const filterOf = (share: number, i: number) => {
    const width = Math.max(1, Math.round(share * COUNT));
    const from = width >= COUNT ? 0 : (i * 104_729) % (COUNT - width);
    return { must: { key: 'rank', range: { gte: from, lt: from + width } } };
  };
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(
      await latency((i) => docs.query({ vector: queryOf(i), limit: K, withPayload: false })),
    );
    for (const [s, share] of SHARES.entries()) {
      const ask = (filter: object) => (i: number) =>
        docs.query({ vector: queryOf(i), limit: K, withPayload: false, filter });
      times[s]!.push(await latency((i) => ask(filterOf(share, round * QUERIES + i))(i)));
      const same = filterOf(share, 1);
      kept[s]!.push(await latency(ask(same)));
    }
  }
  const unfiltered = median(plain);
  const rows: string[][] = [['no filter', unfiltered.toFixed(3), '1.0', '', '']];
  for (const [s, share] of SHARES.entries()) {
    const recall = await recallAt(docs, filterOf(share, 1));
    const [anew, same] = [median(times[s]!), median(kept[s]!)];
    rows.push([
      String(share),
      anew.toFixed(3),
      (anew / unfiltered).toFixed(1),
      (same / unfiltered).toFixed(1),
      recall.toFixed(3),
    ]);
  }
  const head = [
    'share that matches',
    'p50 ms',
    'times unfiltered',
    'same filter again',
    'recall@10',
  ];
  return table(head, rows);
}

async function recallAt(
  docs: Collection,
  filter: { must: { key: string; range: { gte: number; lt: number } } },
): Promise<number> {
  const { gte, lt } = filter.must.range;
  const ids = Array.from({ length: COUNT }, (_, id) => id).filter(
    (id) => rankOf(id) >= gte && rankOf(id) < lt,
  );
  const rows = new Float32Array(ids.length * DIMENSIONS);
  ids.forEach((id, i) => {
    rows.set(vectorOf(id), i * DIMENSIONS);
  });
  const count = 100;
  const some = queries.slice(0, count * DIMENSIONS);
  const k = Math.min(K, ids.length);
  const truth = exactNeighbours(rows, some, DIMENSIONS, k, 'Cosine');
  let found = 0;
  for (let i = 0; i < count; i++) {
    const hits = await docs.query({ vector: queryOf(i), limit: K, withPayload: false, filter });
    const wanted = new Set(Array.from(truth.ids.subarray(i * k, (i + 1) * k), (at) => ids[at]!));
    found += hits.filter(({ id }) => wanted.has(id as number)).length;
  }
  return found / (count * k);
}

const folder = mkdtempSync(join(tmpdir(), 'leandex-bench-'));
const { cpu, cores, node, kernel, loadAverage } = describeMachine();
console.log(
  `${COUNT} x ${DIMENSIONS}, ${cpu}, ${cores} cores (load ${loadAverage}), Node ${node}, ${kernel}\n`,
);
let db = await open(folder);
let docs = await db.createCollection('docs', { vectors: { size: DIMENSIONS } });
await docs.createPayloadIndex('rank', 'integer');
console.log(`Ingestion, durability always, batches of ${BATCH}:\n\n${await ingest(docs)}\n`);
const paced = await db.createCollection('paced', { vectors: { size: DIMENSIONS } });
console.log(`The same at ${RATE} points a second:\n\n${await ingest(paced, RATE)}\n`);
await db.deleteCollection('paced');
let start = performance.now();
await db.close();
console.log(`Closed, indexes saved: ${((performance.now() - start) / 1000).toFixed(2)} s`);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
start = performance.now();
db = await open(folder);
docs = await db.collection('docs');
const opened = (performance.now() - start) / 1000;
delay.disable();
console.log(
  `Opened from what was saved: ${opened.toFixed(2)} s, event loop late ${spread(delay)}\n`,
);
const { vectors, bytes } = await docs.info();
console.log(`In the graph: ${vectors['']!.indexed}; MB in memory and on disk: ${mb(bytes)}\n`);
console.log(`Queries, medians of ${ROUNDS} rounds of ${QUERIES}:\n\n${await filtered(docs)}`);
await db.close();
rmSync(folder, { recursive: true });

function mb({ memory, disk }: { memory: number; disk: number }): string {
  return `${Math.round(memory / 1e6)}, ${Math.round(disk / 1e6)}`;
}
