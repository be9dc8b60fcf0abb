import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { NodeMemory } from '../../src/graph/memory.js';
import { gaussianRows, nearestIds, recallOf, rowOf } from '../graph/oracle.js';
import { faultsOf, Mirror, savedGraph, stateOf, upTo } from '../graph/support.js';

const D = 24;
const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 60, m: 12 };
const queries = gaussianRows(64, D, 2);

describe.each([1, 2])('searches during writes, %i shards', (shards) => {
  test('fail never, return no id that had been deleted, and find well at the end', async () => {
    const rows = gaussianRows(3000, D, 1);
    const index = await LeanIndex.build(rows, { ...options, shards });
    const mirror = new Mirror(D);
    mirror.set(upTo(3000), rows);
    const allow = index.allowList(upTo(3000).filter((id) => id % 3 === 0));
    const random = new Random(3);
    /** Ids whose deletion has resolved. */
    const gone = new Set<number>();
    let isWriting = true;
    let searches = 0;

    const write = async (): Promise<void> => {
      // Starting the threads takes as long as a few rounds, on a busy machine as long as many.
      for (let round = 0; round < 12 || (searches <= 20 && round < 100); round++) {
        const more = gaussianRows(400, D, 100 + round);
        mirror.set(await index.add(more), more);
        const ids = [...mirror.rows.keys()];
        const victims = Array.from({ length: 300 }, () => ids[random.below(ids.length)]!);
        mirror.delete(victims);
        await index.delete(victims);
        for (const id of victims) gone.add(id);
        const [some] = mirror.rows.keys();
        const row = gaussianRows(1, D, 900 + round);
        await index.update(some!, row);
        mirror.set([some!], row);
        if (round % 4 === 3) await index.compact();
      }
      isWriting = false;
    };

    const search = async (kind: number): Promise<void> => {
      const mine = new Random(kind + 10);
      while (isWriting) {
        const before = new Set(gone);
        const query = rowOf(queries, D, mine.below(64));
        const restricted = kind % 2 === 1 ? { allow } : {};
        const found =
          kind < 2
            ? await index.searchAsync(query, 10, restricted)
            : await index.searchBatch(queries, 10, restricted);
        expect(found.ids).toHaveLength(kind < 2 ? 10 : 640);
        for (let from = 0; from < found.ids.length; from += 10) {
          const ids = found.ids.subarray(from, from + 10);
          expect(new Set(ids).size).toBe(10);
          for (const id of ids) {
            if (before.has(id)) expect.fail(`${id} had been deleted before`);
            if (kind % 2 === 1) expect(id < 3000 && id % 3 === 0).toBe(true);
          }
        }
        searches++;
        for (const id of index.search(query, 5).ids) expect(gone.has(id)).toBe(false);
      }
    };

    await Promise.all([write(), search(0), search(1), search(2), search(3), search(0)]);
    expect(searches).toBeGreaterThan(20);
    expect(index.count).toBe(mirror.rows.size);
    const found = await index.searchBatch(queries, 10);
    const truth = nearestIds(mirror.matrix(), queries, D, 10, 'Euclid');
    expect(recallOf(found.ids, truth)).toBeGreaterThan(0.95);
    for (let shard = 0; shard < shards; shard++) {
      expect(faultsOf(savedGraph(index, shard))).toEqual([]);
    }
    await index.close();
  });
});

test('a batch returns nothing that is deleted before it resolves', async () => {
  const index = await LeanIndex.build(gaussianRows(3000, D, 1), options);
  const many = gaussianRows(4000, D, 5);
  const first = index.search(rowOf(many, D, 0), 10).ids;
  const batch = index.searchBatch(many, 10);
  // The first parts of the batch have ended by now, the last have not.
  await index.searchAsync(rowOf(many, D, 0), 10);
  await index.delete(first);
  const { ids } = await batch;
  expect(ids).toHaveLength(40_000);
  expect(ids.some((id) => first.includes(id))).toBe(false);
  await index.close();
});

describe('working memory', () => {
  test('does not grow with the number of queries that wait', async () => {
    const index = await LeanIndex.build(gaussianRows(2500, D, 1), options);
    const { kernels } = stateOf(index).shards[0]!.nodes;
    await Promise.all(upTo(16).map((i) => index.searchAsync(rowOf(queries, D, i), 5)));
    await index.searchBatch(queries, 5);
    const before = kernels.usedBytes;
    const many = gaussianRows(6000, D, 3);
    const batch = await index.searchBatch(many, 5, { ef: 16 });
    expect(batch.ids).toHaveLength(30_000);
    const singles = await Promise.all(
      upTo(1000).map((i) => index.searchAsync(rowOf(many, D, i), 5, { ef: 16 })),
    );
    expect(kernels.usedBytes).toBeLessThan(before + 500_000);
    for (const i of [0, 63, 64, 500, 999]) {
      expect(singles[i]!.ids).toEqual(batch.ids.subarray(5 * i, 5 * i + 5));
    }
    await index.close();
  });

  test('of a search under way stays as it is while the index grows', () => {
    const layout = { dimensions: D, distance: 'Euclid' as const, m: 8, model: undefined };
    const nodes = new NodeMemory(layout, 0, true);
    nodes.ensureNodes(10);
    const [searching, idle] = [nodes.takeScratch(), nodes.takeScratch()];
    nodes.giveBack(idle);
    const marks = searching.get('marks');
    searching.set({ epoch: 77 });
    nodes.ensureNodes(5000);
    expect([searching.get('marks'), searching.get('epoch')]).toEqual([marks, 77]);
    expect(nodes.takeScratch().get('marksLength')).toBeGreaterThanOrEqual(nodes.capacity);
    nodes.giveBack(searching);
    expect(nodes.takeScratch()).toBe(searching);
    expect(searching.get('marksLength')).toBeGreaterThanOrEqual(nodes.capacity);
  });

  test('is given back when a query is refused', async () => {
    const index = await LeanIndex.build(gaussianRows(2500, D, 1), options);
    const { kernels } = stateOf(index).shards[0]!.nodes;
    const bad = gaussianRows(300, D, 4);
    bad[150 * D + 3] = Number.NaN;
    const refused = () =>
      expect(index.searchBatch(bad, 5)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'query at row 150, column 3 must be a finite number, received NaN',
      });
    await refused();
    const before = kernels.usedBytes;
    for (let i = 0; i < 20; i++) await refused();
    // A scratch may first get its room for results now; lost ones would take far more.
    expect(kernels.usedBytes).toBeLessThan(before + 20_000);
    await index.close();
  });
});

describe('the event loop', () => {
  test('turns often while one thread builds, deletes, repairs and compacts', async () => {
    let turns = 0;
    let isBusy = true;
    const count = () => {
      turns++;
      if (isBusy) setImmediate(count);
    };
    setImmediate(count);
    const turnsOf = async (work: () => Promise<unknown>) => {
      const before = turns;
      await work();
      return turns - before;
    };
    const vectors = gaussianRows(4000, D, 1);
    let index!: LeanIndex;
    const building = await turnsOf(async () => {
      index = await LeanIndex.build(vectors, { ...options, threads: 1 });
    });
    expect(building).toBeGreaterThan(5);
    expect(await turnsOf(() => index.add(vectors, { threads: 1 }))).toBeGreaterThan(5);
    await index.delete(upTo(700), { threads: 1 });
    expect(await turnsOf(() => index.compact({ threads: 1 }))).toBeGreaterThan(1);
    isBusy = false;
  });
});
