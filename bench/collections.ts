import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSpectrum } from '../datasets/generate.js';
import { gatherRows } from '../src/base/gather-rows.js';
import type { Collection } from '../src/db/collection.js';
import { exactNeighbours } from '../src/eval/ground-truth.js';
import { open } from '../src/index.js';
import { TEXT_LIKE } from './cases.js';
import {
  type CollectionsResult,
  type FilterRow,
  filterTable,
  type Ingestion,
  ingestionTable,
} from './collections/result.js';
import { watchEventLoop } from './event-loop.js';
import { stampLine, stampOf, writeStamped } from './stamped.js';
import { median, percentile } from './statistics.js';

/**
 * Durable collections: ingestion in batches of 500 while queries go on, opening from what was saved,
 * and filtered queries against unfiltered ones.
 * `npm run bench:collections [points] [dimensions]`, by default 100,000 and 768; these write
 * bench/results/collections-100k-768.json.
 */

const FULL = { count: 100_000, dimensions: 768 };
const COUNT = Number(process.argv[2] ?? FULL.count);
const DIMENSIONS = Number(process.argv[3] ?? FULL.dimensions);
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

/** @param rate points a second at the most */
async function ingest(docs: Collection, rate = Number.POSITIVE_INFINITY): Promise<Ingestion> {
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
  const written = await watchEventLoop(() => writeAll(docs, rate));
  const indexed = await watchEventLoop(async () => {
    while ((await docs.info()).status === 'building') {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  isRunning = false;
  await stream;
  const sorted = Float64Array.from(latencies).sort();
  return {
    rate: Number.isFinite(rate) ? rate : null,
    pointsPerSecond: COUNT / written.lateness.seconds,
    indexedSeconds: written.lateness.seconds + indexed.lateness.seconds,
    late: written.lateness,
    lateWhileIndexed: indexed.lateness,
    queries: { count: latencies.length, p50: median(latencies), p99: percentile(sorted, 0.99) },
  };
}

/** Writes all points in batches, some at a time, no faster than the rate. */
async function writeAll(docs: Collection, rate: number): Promise<void> {
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

async function filtered(docs: Collection): Promise<FilterRow[]> {
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
  const rows: FilterRow[] = [
    { share: null, p50: unfiltered, again: null, recall: await recallAt(docs) },
  ];
  for (const [s, share] of SHARES.entries()) {
    const recall = await recallAt(docs, filterOf(share, 1));
    rows.push({ share, p50: median(times[s]!), again: median(kept[s]!), recall });
  }
  return rows;
}

/** Recall@10 of a filter, or without one. */
async function recallAt(
  docs: Collection,
  filter?: { must: { key: string; range: { gte: number; lt: number } } },
): Promise<number> {
  const { gte, lt } = filter?.must.range ?? { gte: 0, lt: COUNT };
  const ids = Array.from({ length: COUNT }, (_, id) => id).filter(
    (id) => rankOf(id) >= gte && rankOf(id) < lt,
  );
  const rows = gatherRows(corpus, DIMENSIONS, ids);
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
const stamp = stampOf('collections-100k-768');
console.log(`${stampLine(stamp)}, ${COUNT} x ${DIMENSIONS}`);
let db = await open(folder);
let docs = await db.createCollection('docs', { vectors: { size: DIMENSIONS } });
await docs.createPayloadIndex('rank', 'integer');
const fast = await ingest(docs);
const paced = await ingest(
  await db.createCollection('paced', { vectors: { size: DIMENSIONS } }),
  RATE,
);
await db.deleteCollection('paced');
const start = performance.now();
await db.close();
const closedSeconds = (performance.now() - start) / 1000;
const opened = await watchEventLoop(async () => {
  db = await open(folder);
  docs = await db.collection('docs');
});
const { vectors, bytes } = await docs.info();
const result: CollectionsResult = {
  ...stamp,
  ...{ count: COUNT, dimensions: DIMENSIONS, batch: BATCH, streamMs: STREAM_MS, rounds: ROUNDS },
  ingestions: [fast, paced],
  ...{ closedSeconds, openedSeconds: opened.lateness.seconds, lateWhileOpened: opened.lateness },
  ...{ indexed: vectors['']!.indexed, bytes },
  filters: await filtered(docs),
};
await db.close();
rmSync(folder, { recursive: true });
console.log(`\n${ingestionTable(result)}\n\n${filterTable(result)}`);
if (COUNT === FULL.count && DIMENSIONS === FULL.dimensions) writeStamped(result);
