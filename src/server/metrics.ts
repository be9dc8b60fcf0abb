import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from '../db/database.js';
import type { CollectionInfo } from '../db/info.js';
import type { Gate } from './gate.js';

/** What the server counts. Names are Qdrant's where they mean the same, else begin with `leandex_`. */
export interface Metrics {
  /** Of requests that were answered. `endpoint` is the path as documented, not as sent. */
  responded(method: string, endpoint: string, status: number, seconds: number): void;
  snapshotCreated(): void;
  /** All of it, as Prometheus reads it. */
  text(): Promise<string>;
}

/** Seconds: what most answers take, and what none should. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(db: Database, gate: Gate, version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'leandex_' });
  const labelNames = ['method', 'endpoint', 'status'] as const;
  const responses = new Counter({
    name: 'rest_responses_total',
    help: 'Answers by endpoint and status',
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: 'rest_responses_duration_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames,
    buckets: BUCKETS,
    registers,
  });
  const snapshots = new Counter({
    name: 'snapshot_created_total',
    help: 'Snapshots made',
    registers,
  });
  new Gauge({ name: 'app_info', help: 'Version', labelNames: ['name', 'version'], registers }).set(
    { name: 'leandex', version },
    1,
  );
  addRequestGauges(gate, registers);
  const refresh = addCollectionGauges(db, registers);
  return {
    responded: (method, endpoint, status, seconds) => {
      const labels = { method, endpoint, status: String(status) };
      responses.inc(labels);
      durations.observe(labels, seconds);
    },
    snapshotCreated: () => snapshots.inc(),
    text: async () => {
      await refresh();
      return registry.metrics();
    },
  };
}

function addRequestGauges(gate: Gate, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('leandex_requests_working', 'Requests worked on', () => gate.counts.working);
  gauge('leandex_requests_waiting', 'Requests that wait for their turn', () => gate.counts.waiting);
  gauge('memory_resident_bytes', 'Resident memory', () => process.memoryUsage.rss());
}

/** Gauges of collections; what is returned brings them up to date. */
function addCollectionGauges(db: Database, registers: Registry[]): () => Promise<void> {
  const collections = new Gauge({ name: 'collections_total', help: 'Collections', registers });
  const points = new Gauge({
    name: 'collection_points',
    help: 'Points of each collection',
    labelNames: ['id'],
    registers,
  });
  const vectors = new Gauge({
    name: 'collection_vectors',
    help: 'Vectors of each collection by name',
    labelNames: ['collection', 'name'],
    registers,
  });
  return async () => {
    const names = await db.listCollections();
    collections.set(names.length);
    // Those that were deleted are not told of any more.
    points.reset();
    vectors.reset();
    for (const name of names) {
      const info = await infoOf(db, name);
      if (info === undefined) continue;
      points.set({ id: name }, info.count);
      for (const [field, { count }] of Object.entries(info.vectors)) {
        vectors.set({ collection: name, name: field }, count);
      }
    }
  };
}

/** Undefined for a collection that has just been deleted. */
async function infoOf(db: Database, name: string): Promise<CollectionInfo | undefined> {
  try {
    return await (await db.collection(name)).info();
  } catch {
    return undefined;
  }
}
