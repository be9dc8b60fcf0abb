import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stampOf, writeStamped } from '../stamped.js';
import { median } from '../statistics.js';
import { type Client, createClient } from './client.js';
import { startServer } from './sidecar.js';
import { allVersions, DIMENSIONS, reader, writer } from './traffic.js';

/**
 * Reads and writes of all kinds for a while, then SIGTERM amid them: nothing that was acknowledged may be
 * lost, no request may fail, and memory must stay as it is.
 * `npm run soak [seconds] [seed]`, by default 600 and 1. Exits with 1 where it found something.
 */

const SECONDS = Number(process.argv[2] ?? 600);
const SEED = Number(process.argv[3] ?? 1);
const WRITERS = 3;
const READERS = 5;
const SAMPLE_MS = 5000;
/** What the last third of the samples may have above the third before. */
const GROWTH_MAX = 1.15;

interface Sample {
  second: number;
  residentMiB: number;
  /** Of the server's event loop since the sample before, milliseconds. */
  lateP99: number;
  lateMax: number;
}

async function sample(client: Client, start: number): Promise<Sample> {
  const text = (await client.send('GET', '/metrics', '', 'text/plain')).toString();
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)![1]);
  return {
    second: Math.round((performance.now() - start) / 1000),
    residentMiB: Math.round(read('memory_resident_bytes') / 2 ** 20),
    lateP99: 1000 * read('leandex_nodejs_eventloop_lag_p99_seconds'),
    lateMax: 1000 * read('leandex_nodejs_eventloop_lag_max_seconds'),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'leandex-soak-'));
const data = join(folder, 'data');
const stamp = stampOf('server-soak');
const server = await startServer(data, '--log-level', 'error');
const client = createClient(server.url);
await client.send(
  'PUT',
  '/collections/soak',
  JSON.stringify({ vectors: { size: DIMENSIONS, distance: 'Cosine' } }),
  'application/json',
);
await client.send(
  'PUT',
  '/collections/soak/index?wait=true',
  JSON.stringify({ field_name: 'group', field_schema: 'integer' }),
  'application/json',
);
let isEnding = false;
const lanes = [
  ...Array.from({ length: WRITERS }, (_, i) => writer(client, i, SEED + i)),
  ...Array.from({ length: READERS }, (_, i) => reader(client, SEED + WRITERS + i)),
];
const start = performance.now();
const running = lanes.map((lane) => lane.run(() => isEnding));
const samples: Sample[] = [];
while (performance.now() - start < 1000 * SECONDS) {
  await wait(SAMPLE_MS);
  samples.push(await sample(client, start));
}
isEnding = true;
const exitCode = await server.end('SIGTERM');
await Promise.all(running);
client.close();

const again = await startServer(data, '--log-level', 'error');
const reading = createClient(again.url);
const found = await allVersions(reading);
reading.close();
await again.end();
rmSync(folder, { recursive: true });

const lost = lanes.flatMap(({ ledger }) => ledger?.lost(found) ?? []);
const errors = lanes.flatMap((lane) => lane.errors);
const third = Math.floor(samples.length / 3);
const residentOf = (part: readonly Sample[]) => median(part.map(({ residentMiB }) => residentMiB));
const growth = residentOf(samples.slice(-third)) / residentOf(samples.slice(third, 2 * third));
const result = {
  ...stamp,
  seconds: SECONDS,
  seed: SEED,
  requests: lanes.reduce((sum, { requests }) => sum + requests, 0),
  writes: lanes.reduce((sum, { requests, ledger }) => sum + (ledger ? requests : 0), 0),
  pointsKnown: lanes.reduce((sum, { ledger }) => sum + (ledger?.size ?? 0), 0),
  errors: errors.length,
  lost: lost.length,
  exitCode,
  growth,
  residentMiBMax: Math.max(...samples.map(({ residentMiB }) => residentMiB)),
  lateMsP99: median(samples.map(({ lateP99 }) => lateP99)),
  lateMsMax: Math.max(...samples.map(({ lateMax }) => lateMax)),
  samples,
};
writeStamped(result);
const { samples: _, machine: __, ...figures } = result;
process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
for (const problem of [...new Set(errors)].slice(0, 5)) process.stderr.write(`${problem}\n`);
const isFine = errors.length + lost.length === 0 && exitCode === 0 && growth < GROWTH_MAX;
process.exitCode = isFine ? 0 : 1;
