import { writeSync } from 'node:fs';
import type { Collection } from '../../src/db/collection.js';
import { open } from '../../src/db/open.js';
import type { Query } from '../../src/db/query-types.js';
import type { StoredSparseVector } from '../../src/db/types.js';
import {
  COMMON_WORD,
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

/** All points, by reading them and by searching for them by each of their vectors and by a word. */
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
      const { one, many, few } = vector as {
        one: Float32Array;
        many: Float32Array[];
        few: StoredSparseVector;
      };
      ledger.set(id as number, {
        payload: payload as Entry['payload'],
        vector: {
          one: [...one],
          many: many.map((token) => [...token]),
          few: { indices: [...few.indices], values: [...few.values] },
        },
      });
    }
    offset = page.next as number | null;
  } while (offset !== null);
  const numbers = (length: number) => Array.from({ length }, (_, i) => i + 1);
  const found: number[][] = [];
  const queries: Query[] = [
    { using: 'one', vector: numbers(DIMENSIONS), ef: 1000 },
    { using: 'many', vector: [numbers(TOKEN_DIMENSIONS)], ef: 1000 },
    { using: 'few', vector: { indices: [0], values: [1] } },
    { text: { field: 'text', match: COMMON_WORD } },
  ];
  for (const query of queries) {
    const hits = await points.query({ ...query, limit: 1000, withPayload: false });
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
        few: { sparse: {} },
      },
    })
  : await db.collection('points');
if (isNew) await points.createPayloadIndex('k', 'integer');
if (isNew) await points.createTextIndex('text');
await readAll(points);
if (mode === 'write') {
  await write(points, Number(seed), Number(first));
} else {
  await points.optimize();
  await readAll(points);
  await db.verify();
  await db.close();
}
