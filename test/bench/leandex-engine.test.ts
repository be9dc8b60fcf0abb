import { expect, test, vi } from 'vitest';
import { leandex } from '../../bench/engines/leandex.js';
import { Random } from '../../src/base/random.js';
import { LeanIndex } from '../../src/graph/lean-index.js';

const DIMENSIONS = 8;
const ROWS = 300;
const random = new Random(5);
const data = new Float32Array(ROWS * DIMENSIONS).map(() => random.gaussian());
const vectors = { count: ROWS, dimensions: DIMENSIONS, data };

const context = {
  ...{ dimensions: DIMENSIONS, distance: 'Cosine' as const, threads: 2, scratch: '' },
  ...{ settings: { seed: 3 }, search: { rerank: 60 }, efs: [10], filters: [] },
};

async function filled() {
  const engine = await leandex.create(context);
  const cost = await engine.build(vectors);
  engine.prepare(vectors);
  return { engine, cost };
}

test('searches one query a call, with the settings of the contender', async () => {
  const { engine, cost } = await filled();
  expect(cost.threads).toBeGreaterThanOrEqual(1);
  const { search, idsOf } = engine.searcher(3, 20);
  for (const row of [0, 7, ROWS - 1]) expect(idsOf(search(row))[0]).toBe(row);
});

test('searches on all threads by batch, all queries once', async () => {
  const { engine } = await filled();
  const searchBatch = vi.spyOn(LeanIndex.prototype, 'searchBatch');
  await engine.searchAll!(3, 20);
  expect(searchBatch).toHaveBeenCalledOnce();
  const [queries, k, options] = searchBatch.mock.calls[0]!;
  expect([queries.length % ROWS, k, options]).toEqual([0, 3, { rerank: 60, ef: 20 }]);
  searchBatch.mockRestore();
});
