import { beforeAll, describe, expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { AllowList } from '../../src/graph/allow-list.js';
import {
  beamCapacity,
  beamWidth,
  planRestricted,
  WAYS,
  type Way,
} from '../../src/graph/filter-plan.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { prepareSearch, takeResults } from '../../src/graph/search.js';
import { ALONE } from '../../src/threads/crew.js';
import { gaussianRows, nearestIds, recallOf, rowOf, scoreOf } from './oracle.js';
import { stateOf, upTo } from './support.js';

const D = 32;
const COUNT = 24_000;
const QUERIES = 40;
const rows = gaussianRows(COUNT, D, 1);
const queries = gaussianRows(QUERIES, D, 2);
const SHARES = [0.5, 0.1, 0.01, 0.003, 0.001];

/** A random share of all ids. */
function randomIds(share: number, seed: number): number[] {
  const order = new Random(seed).permutation(COUNT);
  return Array.from(order.subarray(0, Math.round(share * COUNT)));
}

/**
 * A share of all ids, mostly those far from a query. Some noise is added, or the nearest of them
 * would lie on a sphere, closer to one another in distance than codes of 8 bits can tell.
 */
function farIds(share: number, query: Float32Array, seed: number): number[] {
  const random = new Random(seed);
  const all = upTo(COUNT);
  const scores = all.map(
    (id) => scoreOf(query, rowOf(rows, D, id), 'Euclid') + 0.4 * random.gaussian(),
  );
  return all.sort((a, b) => scores[b]! - scores[a]!).slice(0, Math.round(share * COUNT));
}

const matrixOf = (ids: number[]) => {
  const matrix = new Float32Array(ids.length * D);
  ids.forEach((id, r) => {
    matrix.set(rowOf(rows, D, id), r * D);
  });
  return { ids, rows: matrix };
};

/** A search for 10 neighbours where nothing has been deleted. */
const searchOf = (allowed: number, count: number, ef: number) => ({
  ...{ allowed, live: count, linked: count },
  ...{ k: 10, ef },
});
const planOf = (allowed: number, count: number, ef: number) =>
  planRestricted(searchOf(allowed, count, ef));

describe('a search restricted to an allow-list', () => {
  let index: LeanIndex;
  beforeAll(async () => {
    index = await LeanIndex.build(rows, { dimensions: D, distance: 'Euclid', efConstruction: 80 });
  });

  test('goes through the graph while that pays, and scans below', () => {
    const ways = [0.9, 0.5, 0.1].map((share) => {
      const ids = randomIds(share, 5);
      const way = planOf(ids.length, COUNT, 32);
      const allowed = new Set(ids);
      for (let q = 0; q < 5; q++) {
        const found = index.search(rowOf(queries, D, q), 10, { allow: ids, ef: 32 });
        expect(found.ids).toHaveLength(10);
        expect(found.ids.every((id) => allowed.has(id))).toBe(true);
      }
      return way;
    });
    expect(ways).toEqual([WAYS.allowed, WAYS.allowed, WAYS.scan]);
    // Passing through what is not allowed pays among more vectors than a test can build.
    expect(planOf(200_000, 20_000_000, 128)).toBe(WAYS.twoHops);
  });

  test.each([0.9, ...SHARES])('finds the nearest of a random share of %f', async (share) => {
    const ids = randomIds(share, 7);
    const allowed = new Set(ids);
    const found = await index.searchBatch(queries, 10, { allow: ids });
    expect(found.k).toBe(10);
    expect(found.ids.every((id) => allowed.has(id))).toBe(true);
    const truth = nearestIds(matrixOf(ids), queries, D, 10, 'Euclid');
    expect(recallOf(found.ids, truth)).toBeGreaterThanOrEqual(0.95);
  });

  test.each(SHARES)('finds the nearest of the farthest share of %f', (share) => {
    let recall = 0;
    for (let q = 0; q < 6; q++) {
      const query = rowOf(queries, D, q);
      const ids = farIds(share, query, q);
      const allowed = new Set(ids);
      const found = index.search(query, 10, { allow: Uint32Array.from(ids) });
      expect(found.ids).toHaveLength(10);
      expect(found.ids.every((id) => allowed.has(id))).toBe(true);
      recall += recallOf(found.ids, nearestIds(matrixOf(ids), query, D, 10, 'Euclid')) / 6;
    }
    expect(recall).toBeGreaterThanOrEqual(0.95);
  });

  test('gives min(k, allowed) results: of a few, of one, of none, of all', () => {
    const query = rowOf(queries, D, 0);
    const few = [5, 77, 23_999];
    expect([...index.search(query, 10, { allow: few }).ids].sort((a, b) => a - b)).toEqual(few);
    expect([...index.search(query, 10, { allow: [4321] }).ids]).toEqual([4321]);
    for (const none of [[], new Set<number>(), new Uint32Array(0), new Uint8Array(5000)]) {
      expect(index.search(query, 10, { allow: none }).ids).toHaveLength(0);
    }
    const bitmap = new Uint8Array(COUNT / 8).fill(255);
    expect(index.search(query, 10, { allow: bitmap }).ids).toEqual(index.search(query, 10).ids);
  });

  test('takes a bitmap, lists, a Set or a list made once, to the same effect', async () => {
    const ids = randomIds(0.05, 9);
    const bitmap = new Uint8Array(COUNT / 8);
    for (const id of ids) bitmap[id >> 3]! |= 1 << (id & 7);
    const query = rowOf(queries, D, 3);
    const expected = index.search(query, 10, { allow: ids });
    const made = index.allowList(ids);
    for (const allow of [bitmap, Uint32Array.from(ids), new Set(ids), made]) {
      expect(index.search(query, 10, { allow })).toEqual(expected);
      expect(await index.searchAsync(query, 10, { allow })).toEqual(expected);
    }
    expect(made.count).toBe(ids.length);
  });

  test('scans in the exact order where it scans', () => {
    const ids = randomIds(0.003, 11);
    for (let q = 0; q < 10; q++) {
      const query = rowOf(queries, D, q);
      const found = index.search(query, 10, { allow: ids, rerank: 100 });
      const exact = ids
        .map((id) => scoreOf(query, rowOf(rows, D, id), 'Euclid'))
        .sort((a, b) => a - b);
      found.ids.forEach((id, i) => {
        const own = scoreOf(query, rowOf(rows, D, id), 'Euclid');
        expect(Math.abs(own - exact[i]!)).toBeLessThan(0.02 * exact[i]!);
        expect(Math.abs(found.scores[i]! - own)).toBeLessThan(0.02 * own);
      });
    }
  });

  test.each(
    Object.entries(WAYS).filter(([name]) => name !== 'graph'),
  )('finds well the way "%s" whatever the share', (_, way) => {
    const state = stateOf(index);
    const [shard] = state.shards;
    for (const share of [0.5, 0.1, 0.02]) {
      const ids = randomIds(share, 13);
      const allow = new AllowList(ids, state.ids);
      const plan = { k: 10, ef: 128, rerank: 100, allow };
      const truth = nearestIds(matrixOf(ids), queries, D, 10, 'Euclid');
      const found = new Uint32Array(QUERIES * 10);
      for (let q = 0; q < QUERIES; q++) {
        const search = prepareSearch(shard!, 0, queries, q, 1, plan)!;
        const needed = beamCapacity(way as Way, searchOf(ids.length, COUNT, 128));
        search.scratch.ensureBeam(needed);
        const args = search.job.args.with(6, way);
        const [failed] = ALONE.run(shard!.nodes.kernels, [{ ...search.job, args }]) as number[];
        found.set(takeResults(search, failed!, q).slots, 10 * q);
      }
      expect(found.every((slot) => allow.has(state.ids.idAt(0, slot)))).toBe(true);
      expect(recallOf(found, truth)).toBeGreaterThan(0.9);
    }
  });
});

describe('an allow-list', () => {
  const small = gaussianRows(2500, D, 4);

  test.each([1, 3])('follows deletions, updates and compaction in %i shards', async (shards) => {
    const options = { dimensions: D, efConstruction: 60, shards, distance: 'Euclid' as const };
    const index = await LeanIndex.build(small, options);
    const ids = upTo(2500).filter((id) => id % 4 === 0);
    const list = index.allowList(ids);
    const alive = new Set(ids);
    const query = rowOf(queries, D, 0);
    const check = async () => {
      expect(list.count).toBe(alive.size);
      for (const k of [10, 2500]) {
        const found = index.search(query, k, { allow: list }).ids;
        expect(found).toHaveLength(Math.min(k, alive.size));
        expect(found.every((id) => alive.has(id))).toBe(true);
        expect((await index.searchAsync(query, k, { allow: list })).ids).toEqual(found);
      }
    };
    await check();
    await index.delete(upTo(600));
    for (const id of upTo(600)) alive.delete(id);
    await check();
    await index.add(gaussianRows(900, D, 5));
    await check();
    await index.update(800, query);
    expect(index.search(query, 1, { allow: list }).ids[0]).toBe(800);
    await index.update(801, query);
    await check();
    await index.compact();
    await check();
    await index.add(gaussianRows(900, D, 6));
    await check();
    await index.delete(upTo(2500));
    alive.clear();
    await check();
    await index.close();
  });

  test('restricts an exact index exactly', async () => {
    for (const distance of DISTANCES) {
      const part = small.subarray(0, 1000 * D);
      const index = await LeanIndex.build(part, { dimensions: D, distance });
      const ids = upTo(1000).filter((id) => id % 7 === 3);
      const matrix = matrixOf([]);
      matrix.ids = ids;
      matrix.rows = new Float32Array(ids.length * D);
      ids.forEach((id, r) => {
        matrix.rows.set(rowOf(part, D, id), r * D);
      });
      const found = await index.searchBatch(queries, 10, { allow: ids });
      expect(recallOf(found.ids, nearestIds(matrix, queries, D, 10, distance))).toBe(1);
    }
  });
});

describe('the plan', () => {
  test('scans what costs less than a traversal, and traverses what is mostly allowed', () => {
    expect(planOf(0, 1_000_000, 128)).toBe(WAYS.scan);
    expect(planOf(1000, 1_000_000, 128)).toBe(WAYS.scan);
    expect(planOf(200_000, 20_000_000, 128)).toBe(WAYS.twoHops);
    expect(planOf(200_000, 1_000_000, 128)).toBe(WAYS.allowed);
    expect(planOf(900_000, 1_000_000, 128)).toBe(WAYS.allowed);
    expect(planOf(900, 1000, 128)).toBe(WAYS.scan);
    expect(planOf(1, 1, 1)).toBe(WAYS.scan);
  });

  test('goes from scan to graph once as the share grows, later for wider beams', () => {
    for (const count of [20_000, 1_000_000]) {
      const turns = [32, 128, 512].map((ef) => {
        const scans = upTo(1000).map((i) => planOf((count * i) / 1000, count, ef) === WAYS.scan);
        const turn = scans.lastIndexOf(true);
        expect(scans.slice(0, turn + 1).every(Boolean)).toBe(true);
        return turn;
      });
      expect(turns).toEqual([...turns].sort((a, b) => a - b));
    }
  });

  test('gives a traversal room for the nodes that do not count', () => {
    const search = searchOf(250, 1000, 100);
    expect(beamCapacity(WAYS.allowed, search)).toBe(400);
    expect(beamCapacity(WAYS.twoHops, search)).toBe(100);
    expect(beamCapacity(WAYS.allowed, { ...search, allowed: 0 })).toBe(1000);
  });
});

describe('the width of a beam', () => {
  const width = (share: number, k = 10, way: Way = WAYS.allowed) =>
    beamWidth(way, { ...searchOf(1000 * share, 1000, 128), k });

  test('shrinks with the share of a traversal, but not below what is to be re-ranked', () => {
    expect([1, 0.5, 0.25, 0.01].map((share) => width(share))).toEqual([128, 91, 64, 40]);
    expect([width(0.25, 20), width(0.25, 60)]).toEqual([80, 128]);
    const deleted = { allowed: 900, live: 900, linked: 1000, k: 10, ef: 128 };
    expect(beamWidth(WAYS.allowed, deleted)).toBe(128);
    expect([width(0.25, 10, WAYS.twoHops), width(0.25, 10, WAYS.scan)]).toEqual([128, 128]);
  });
});

describe('looking deeper than the beam', () => {
  test.each([
    8, 32,
  ] as const)('is not what one deleted vector brings about, nor half of all allowed (%i bits)', async (secondaryBits) => {
    const options = { dimensions: D, distance: 'Euclid', efConstruction: 80 } as const;
    const index = await LeanIndex.build(rows, { ...options, secondaryBits });
    await index.delete([1]);
    const { nodes } = stateOf(index).shards[0]!;
    const scoredIn = (allow?: number[]) => {
      const scratch = nodes.takeScratch();
      scratch.set({ distances: 0 });
      nodes.giveBack(scratch);
      for (let q = 0; q < 10; q++) {
        index.search(rowOf(queries, D, q), 10, { ef: 64, ...(allow && { allow }) });
      }
      return scratch.get('distances') / 10;
    };
    expect(scoredIn()).toBeLessThan(COUNT / 4);
    expect(scoredIn(upTo(COUNT).filter((id) => id % 10 !== 0))).toBeLessThan(COUNT / 2);
  });
});
