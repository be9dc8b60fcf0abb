import { writeSync } from 'node:fs';
import type { Collection } from '../../src/db/collection.js';
import { open } from '../../src/db/open.js';
import {
  DIMENSIONS,
  type Entry,
  type Ledger,
  operationAt,
  perform,
  TOKEN_DIMENSIONS,
} from './operations.js';

/** Operations under way at once. */
const AT_ONCE = 3;

/** What the child tells its parent, a JSON line each, written at once so that a kill loses none. */
export type Message =
  | { did: 'read'; points: [number, Entry][]; found: number[][] }
  | { did: 'begin'; number: number }
  | { did: 'acknowledge'; number: number };

function tell(message: Message): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

/** All points, by reading them and by searching for them by each of their vectors. */
async function readAll(points: Collection): Promise<void> {
  const ledger: Ledger = new Map();
  let offset: number | null = null;
  do {
    const page = await points.scroll({
      limit: 100,
      withVector: true,
      ...(offset !== null && { offset }),
    });
    for (const { id, payload, vector } of page.points) {
      const { one, many } = vector as { one: Float32Array; many: Float32Array[] };
      ledger.set(id as number, {
        payload: payload as Record<string, number>,
        vector: { one: [...one], many: many.map((token) => [...token]) },
      });
    }
    offset = page.next as number | null;
  } while (offset !== null);
  const numbers = (length: number) => Array.from({ length }, (_, i) => i + 1);
  const found: number[][] = [];
  for (const query of [
    { using: 'one', vector: numbers(DIMENSIONS) },
    { using: 'many', vector: [numbers(TOKEN_DIMENSIONS)] },
  ]) {
    const hits = await points.query({ ...query, limit: 1000, ef: 1000, withPayload: false });
    found.push(hits.map(({ id }) => id as number));
  }
  tell({ did: 'read', points: [...ledger], found });
}

/** Writes until it is killed. */
async function write(points: Collection, seed: number, first: number): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (let number = first; ; number++) {
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    tell({ did: 'begin', number });
    const task: Promise<void> = perform(points, operationAt(seed, number)).then(() => {
      tell({ did: 'acknowledge', number });
      underWay.delete(task);
    });
    underWay.add(task);
  }
}

const [mode, folder, seed, first] = process.argv.slice(2);
const db = await open(folder!, { onLog: () => {} });
const isNew = (await db.listCollections()).length === 0;
const points = isNew
  ? await db.createCollection('points', {
      vectors: {
        one: { size: DIMENSIONS, distance: 'Euclid', index: { exactBelow: 100 } },
        many: {
          size: TOKEN_DIMENSIONS,
          multivector: { comparator: 'max_sim' },
          index: { exactBelow: 100, fdeDimensions: 640 },
        },
      },
    })
  : await db.collection('points');
if (isNew) await points.createPayloadIndex('k', 'integer');
await readAll(points);
if (mode === 'write') {
  await write(points, Number(seed), Number(first));
} else {
  await points.optimize();
  await readAll(points);
  await db.verify();
  await db.close();
}
