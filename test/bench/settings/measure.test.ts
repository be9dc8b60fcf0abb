import { expect, test } from 'vitest';
import type { DataSource } from '../../../bench/cases.js';
import { loadData } from '../../../bench/data.js';
import { measureGroup } from '../../../bench/settings/measure.js';
import { GROUPS, type SettingGroup } from '../../../bench/settings/variants.js';

test('variants are measured at their widths, on one index where only the search differs', async () => {
  const data: DataSource = {
    ...{ kind: 'generated', generator: 'spectrum', count: 2500, dimensions: 32 },
    ...{ seed: 1, decay: 1 },
  };
  const group: SettingGroup = {
    ...{ group: 'made-up', data, queries: { asked: 20, training: 30 } },
    variants: [
      { name: 'default', options: {}, efs: [16, 64] },
      { name: 'whole beam', options: {}, search: { rerank: 64 }, efs: [64] },
      { name: 'trained', options: {}, trained: true, efs: [16] },
      { name: 'float32', options: { primaryBits: 32, secondaryBits: 32 }, efs: [64] },
    ],
  };
  const rows = await measureGroup(group, await loadData({ data, queries: 50 }), 1);
  expect(rows.map(({ points }) => points.map(({ ef }) => ef))).toEqual([
    [16, 64],
    [64],
    [16],
    [64],
  ]);
  const [standard, whole, , floats] = rows;
  expect(standard!.points[1]!.recall).toBeGreaterThanOrEqual(standard!.points[0]!.recall);
  expect(whole!.points[0]!.distances).toBe(standard!.points[1]!.distances);
  expect(floats!.points[0]!.recall).toBeGreaterThan(0.9);
  expect(floats!.bytesPerVector.total).toBeGreaterThan(standard!.bytesPerVector.total);
  for (const { points } of rows) for (const { micros } of points) expect(micros).toBeGreaterThan(0);
});

test('the first of every group is the default', () => {
  for (const { variants } of GROUPS) expect(variants[0]).toMatchObject({ options: {} });
});
