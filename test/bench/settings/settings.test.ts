import { expect, test } from 'vitest';
import { measureGroup } from '../../../bench/settings/measure.js';
import { GROUPS, type Group } from '../../../bench/settings/plan.js';
import { settingsTable } from '../../../bench/settings/table.js';
import { madeUpResult } from '../made-up.js';

const TINY: Group = {
  name: 'tiny',
  data: {
    ...{ kind: 'generated', generator: 'manifold', count: 2600, dimensions: 32 },
    ...{ seed: 7, intrinsic: 6 },
  },
  efs: [10, 100],
  variants: [
    { name: 'default', options: {} },
    { name: 'float32', options: { primaryBits: 32, secondaryBits: 32 } },
    { name: 'rerank 100', options: {}, search: { rerank: 100 } },
    { name: 'trained', options: {}, trained: true },
  ],
};

test('every variant has recall, distances, times and bytes at every beam width', async () => {
  const result = await measureGroup(TINY, 2);
  expect(result.variants.map(({ name }) => name)).toEqual(TINY.variants.map(({ name }) => name));
  for (const { points, bytesPerVector } of result.variants) {
    const [narrow, wide] = points;
    expect(points.map(({ ef }) => ef)).toEqual([10, 100]);
    expect(wide!.recall).toBeGreaterThan(0.9);
    expect(narrow!.recall).toBeLessThanOrEqual(wide!.recall);
    expect(narrow!.distances).toBeGreaterThan(10);
    expect(narrow!.distances).toBeLessThan(wide!.distances);
    expect(wide!.micros).toBeGreaterThan(0);
    expect(bytesPerVector.total).toBeGreaterThan(32);
  }
  for (const { times } of result.variants[0]!.points) expect(times).toBe(1);
  const [codes, floats, deep] = result.variants.map(({ points }) => points[1]!);
  expect(floats!.recall).toBeGreaterThanOrEqual(codes!.recall);
  // The depth of the re-rank changes what is found, not the way through the graph.
  expect(deep!.distances).toBe(codes!.distances);
  const { machine, date } = madeUpResult([]);
  const all = { ...{ date, commit: null, machine, rounds: 2 }, groups: [result] };
  const rows = settingsTable(all, 'tiny').split('\n');
  expect(rows).toHaveLength(6);
  expect(rows[0]).toMatch(/manifold +\| +recall@10 at ef 10 \| +100 \| distances at ef 10/);
  expect(() => settingsTable(all, 'other')).toThrow(/no group other/);
});

test('groups have names of their own, and begin with the default', () => {
  const names = GROUPS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { variants } of GROUPS) expect(variants[0]).toEqual({ name: 'default', options: {} });
});
