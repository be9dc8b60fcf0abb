import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Contender,
  edgevecWith,
  hnswlibWith,
  LEANDEX_ORIGINALS,
  plainZvecWith,
  usearchWith,
  zvecWith,
} from '../../bench/contenders.js';
import { engineAbsence, engineNamed } from '../../bench/engines/registry.js';
import { Opponent } from '../../bench/opponent.js';
import { writeNpy } from '../../datasets/npy.js';
import { Random } from '../../src/base/random.js';
import { NO_ID } from '../../src/eval/metrics.js';
import { requireFreshBuild } from './compiled.js';

const ROWS = 700;
const BUILT = 600;
const DIMENSIONS = 16;
const QUERIES = 40;
const K = 10;
const EF = 100;

const random = new Random(11);
const gaussians = (rows: number) =>
  Array.from({ length: rows }, () =>
    Float32Array.from({ length: DIMENSIONS }, () => random.gaussian()),
  );
const vectors = gaussians(ROWS);
const queries = gaussians(QUERIES);

const folder = mkdtempSync(join(tmpdir(), 'leandex-filters-test-'));
beforeAll(() => {
  requireFreshBuild();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function matrixFile(name: string, rows: readonly Float32Array[]): string {
  const path = join(folder, `${name}.npy`);
  const data = Float32Array.from(rows.flatMap((row) => Array.from(row)));
  writeNpy(path, [rows.length, DIMENSIONS], data);
  return path;
}

function idsFile(name: string, ids: readonly number[]): string {
  const path = join(folder, `${name}.npy`);
  writeNpy(path, [ids.length], Uint32Array.from(ids));
  return path;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, xi, i) => sum + xi * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The ids of the nearest of some vectors to each query, by definition. */
function nearest(live: ReadonlyMap<number, Float32Array>): number[][] {
  return queries.map((query) => {
    const scored = Array.from(live, ([id, vector]) => ({ id, score: cosine(query, vector) }));
    return scored
      .sort((a, b) => b.score - a.score)
      .slice(0, K)
      .map(({ id }) => id);
  });
}

/** What was found for each query. */
function answers(ids: Uint32Array): number[][] {
  return queries.map((_, q) => Array.from(ids.subarray(q * K, (q + 1) * K)).filter(isFound));
}

function isFound(id: number): boolean {
  return id !== NO_ID;
}

function recall(found: readonly number[][], truth: readonly number[][]): number {
  const hits = truth.map((ids, q) => ids.filter((id) => found[q].includes(id)).length);
  return hits.reduce((sum, n) => sum + n) / truth.flat().length;
}

async function built({ engine, settings, search }: Contender, filters: Uint32Array[] = []) {
  const opponent = new Opponent(engine, 2);
  onTestFinished(() => opponent.close());
  await opponent.build({
    vectorsPath: matrixFile('vectors', vectors.slice(0, BUILT)),
    ...{ dimensions: DIMENSIONS, distance: 'Cosine', settings, search, efs: [EF], threads: 2 },
    ...{ filters, scratch: mkdtempSync(join(folder, 'scratch-')) },
  });
  const searches = { queriesPath: matrixFile('queries', queries), k: K, warmupMs: 0, measureMs: 0 };
  return { opponent, searches };
}

/** Opponents that are not installed are no failure; the title says what is lacking. */
function installed(contenders: readonly Contender[]) {
  return contenders.map((each) => {
    const absence = engineAbsence(engineNamed(each.engine));
    const title = absence === undefined ? each.name : `${each.name} (${absence})`;
    return { each, absence, title };
  });
}

const FILTERS = [2, 20, 120].map((step) =>
  Uint32Array.from({ length: BUILT / step }, (_, i) => i * step),
);

const complete = [
  LEANDEX_ORIGINALS,
  hnswlibWith(16),
  zvecWith('float32', 16),
  zvecWith('int8', 16, { refine: true }),
];

describe.each(installed([...complete, edgevecWith(16)]))('$title', ({ each, absence }) => {
  test.skipIf(absence !== undefined)('finds what a filter allows, and nothing else', async () => {
    const { opponent, searches } = await built(each, FILTERS);
    for (const [filter, allowed] of FILTERS.entries()) {
      const { ids } = await opponent.searchFiltered({ ...searches, ef: EF, filter });
      const found = answers(ids);
      for (const id of found.flat()) expect(allowed).toContain(id);
      const truth = nearest(new Map(Array.from(allowed, (id) => [id, vectors[id]])));
      if (complete.includes(each)) {
        expect(found.map(({ length }) => length)).toEqual(truth.map(({ length }) => length));
        expect(recall(found, truth)).toBeGreaterThan(0.97);
      } else if (filter === 0) {
        // It filters what it found, of which there is enough only where much is allowed.
        expect(recall(found, truth)).toBeGreaterThan(0.9);
      }
    }
    const plain = answers((await opponent.search({ ...searches, ef: EF })).ids);
    const all = new Map(vectors.slice(0, BUILT).map((vector, id) => [id, vector]));
    expect(recall(plain, nearest(all))).toBeGreaterThan(0.97);
  });
});

const changeable = [
  LEANDEX_ORIGINALS,
  hnswlibWith(16),
  usearchWith('f16', 16),
  plainZvecWith('float32', 16),
  plainZvecWith('int8', 16, { refine: true }),
];

/** What is deleted, and the ids that get vectors, replaced and new ones; then more of both. */
const ROUNDS = [
  { removed: range(0, 100), ids: [...range(100, 150), ...range(BUILT, BUILT + 50)], from: 600 },
  { removed: range(610, 630), ids: [...range(110, 120), ...range(660, 670)], from: 350 },
];

describe.each(installed(changeable))('$title', ({ each, absence }) => {
  test.skipIf(absence !== undefined)('finds what is there after changes', async () => {
    const { opponent, searches } = await built(each);
    const live = new Map(vectors.slice(0, BUILT).map((vector, id) => [id, vector]));
    for (const { removed, ids, from } of ROUNDS) {
      const rows = ids.map((_, i) => vectors[(from + i) % ROWS]);
      const { seconds, bytesPerVector } = await opponent.change({
        removedPath: idsFile('removed', removed),
        idsPath: idsFile('ids', ids),
        vectorsPath: matrixFile('changed', rows),
      });
      expect(seconds).toBeGreaterThan(0);
      expect(bytesPerVector.total).toBeGreaterThan(0);
      for (const id of removed) live.delete(id);
      for (const [i, id] of ids.entries()) live.set(id, rows[i]);
      // Another beam width finds what was changed at the first.
      for (const ef of [EF, 2 * EF]) {
        const found = answers((await opponent.search({ ...searches, ef })).ids);
        for (const id of found.flat()) expect(live.has(id)).toBe(true);
        expect(recall(found, nearest(live))).toBeGreaterThan(0.95);
      }
    }
  });
});

test.each([
  { what: 'filter', each: usearchWith('f16', 16) },
  { what: 'delete', each: edgevecWith(16) },
])('$each.name cannot $what, and says so', async ({ what, each }) => {
  if (engineAbsence(engineNamed(each.engine)) !== undefined) return;
  const { opponent, searches } = await built(each);
  const none = { removedPath: idsFile('none', []), idsPath: idsFile('none', []) };
  const asked =
    what === 'filter'
      ? opponent.searchFiltered({ ...searches, ef: EF, filter: 0 })
      : opponent.change({ ...none, vectorsPath: matrixFile('none-rows', []) });
  await expect(asked).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(asked).rejects.toThrow(`cannot ${what}`);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
