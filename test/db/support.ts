import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import type { CollectionCore } from '../../src/db/collection-core.js';
import type { Database, OpenOptions } from '../../src/db/database.js';
import { open } from '../../src/db/open.js';
import type { Point } from '../../src/db/types.js';

const folders: string[] = [];
const databases: Database[] = [];

afterEach(async () => {
  await Promise.allSettled(databases.splice(0).map((db) => db.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-db-'));
  folders.push(folder);
  return folder;
}

/** A database that is closed after the test; what it logs is collected. */
export async function openLogged(path = ':memory:', options: OpenOptions = {}) {
  const log: string[] = [];
  const db = await open(path, { onLog: (message) => log.push(message), ...options });
  databases.push(db);
  return { db, log };
}

export async function openHere(path = ':memory:', options: OpenOptions = {}): Promise<Database> {
  return (await openLogged(path, options)).db;
}

/** A collection of one vector in a database of its own. */
export async function newCollection(
  size: number,
  options: { distance?: 'Cosine' | 'Dot' | 'Euclid'; exactBelow?: number; path?: string } = {},
): Promise<Collection> {
  const { distance = 'Euclid', exactBelow = 1_000_000, path } = options;
  const db = await openHere(path);
  return db.createCollection('points', { vectors: { size, distance, index: { exactBelow } } });
}

export function gaussians(random: Random, count: number, size: number): number[][] {
  return Array.from({ length: count }, () =>
    Array.from({ length: size }, () => Math.fround(random.gaussian())),
  );
}

/** Points 0 … count − 1 with gaussian vectors and a few payload fields. */
export function somePoints(count: number, size: number, seed = 1) {
  const random = new Random(seed);
  return gaussians(random, count, size).map((vector, id) => ({
    id,
    vector,
    payload: { n: id, color: ['red', 'green', 'blue'][id % 3]!, half: id % 2 },
  }));
}

/** Ids by squared distance in float64, nearest first, ties by id. */
export function nearestIds(
  points: readonly Point[],
  query: readonly number[],
  k: number,
): (string | number | bigint)[] {
  const distance = (vector: readonly number[]) =>
    vector.reduce((sum, x, i) => sum + (x - query[i]!) ** 2, 0);
  const scored = points.map(({ id, vector }) => ({ id, score: distance(vector as number[]) }));
  scored.sort((a, b) => a.score - b.score || (a.id < b.id ? -1 : 1));
  return scored.slice(0, k).map(({ id }) => id);
}

export const idsOf = (hits: readonly { id: unknown }[]) => hits.map(({ id }) => id);

/** What a collection keeps to itself, to look at it or to let it fail. */
export function coreOf(collection: Collection): CollectionCore {
  return (collection as unknown as { core: CollectionCore }).core;
}

/** The code of the error that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'no error';
}

export function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1]! ^= 1;
  return copy;
}
