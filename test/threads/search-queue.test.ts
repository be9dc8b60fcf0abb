import { expect, test } from 'vitest';
import type { SearchPlan } from '../../src/graph/search.js';
import { rowsAtOnce } from '../../src/graph/search.js';
import { SearchQueue } from '../../src/graph/search-queue.js';

const plan = (k: number): SearchPlan => ({ k, ef: k, rerank: k, allow: undefined });

test.each([
  10, 1000, 100_000, 10_000_000,
])('what is searched together, %i results a row, fits into the room for results', async (k) => {
  const sizes: number[] = [];
  const queue = new SearchQueue(async (queries) => {
    sizes.push(queries.length);
    return { ids: new Uint32Array(0), scores: new Float32Array(0), k: 0 };
  }, 2);
  // One number a query.
  await Promise.all(
    Array.from({ length: 200 }, () => queue.search(new Float32Array(1), 1, plan(k))),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(rowsAtOnce(k));
  if (k === 10) expect(sizes.length).toBeLessThan(20);
});
