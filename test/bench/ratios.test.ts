import { expect, test } from 'vitest';
import { type Comparable, ratios, type Side } from '../../bench/ratios.js';

interface Numbers {
  qps: (number | null)[];
  build?: [seconds: number, threads: number];
  total?: number;
}

function contender(engine: string, { qps, build = [1, 1], total = 1 }: Numbers): Comparable {
  const [a = null, b = null, c = null, d = null] = qps;
  const atRecall = { '0.90': a, '0.95': b, '0.98': c, '0.99': d };
  const [buildSeconds, buildThreads] = build;
  return { engine, atRecall, buildSeconds, buildThreads, bytesPerVector: { total } };
}

const THEIRS: Side = { name: 'theirs', engines: ['theirs'] };

test("takes the opponent's best setting at every level and in every respect", () => {
  const small = contender('theirs', { qps: [100, 50], build: [10, 2], total: 1000 });
  const large = contender('theirs', { qps: [80, 60, 40], build: [20, 1], total: 2000 });
  const mine = contender('ours', { qps: [300, 120, null, 10], build: [5, 4], total: 500 });
  expect(ratios([small, mine, large], 'ours', [THEIRS])).toEqual([
    {
      contender: 1,
      opponent: 'theirs',
      qps: { '0.90': 3, '0.95': 2, '0.98': null, '0.99': null },
      build: 2,
      buildThreads: [4, 2],
      memory: 2,
    },
  ]);
});

test('leaves indexes out of builds and memory that do not reach .95, if others do', () => {
  const coarse = contender('theirs', { qps: [100], build: [1, 2], total: 100 });
  const fine = contender('theirs', { qps: [50, 50], build: [10, 1], total: 1000 });
  const mine = contender('ours', { qps: [1, 1], build: [5, 1], total: 500 });
  const [ratio] = ratios([coarse, fine, mine], 'ours', [THEIRS]);
  expect(ratio).toMatchObject({ build: 2, buildThreads: [1, 1], memory: 2 });
  const low = contender('ours', { qps: [1], build: [1, 1], total: 50 });
  expect(ratios([fine, low], 'ours', [THEIRS])[0]).toMatchObject({ build: null, memory: null });
  const [against] = ratios([coarse, mine], 'ours', [THEIRS]);
  expect(against).toMatchObject({ build: 0.2, memory: 0.2 });
});

test('pairs each of ours with each side that takes part, and takes a side for one', () => {
  const all = ['ours', 'b', 'ours', 'c', 'd'].map((engine, i) =>
    contender(engine, { qps: [i + 1, 1, 1, 1] }),
  );
  const sides = [
    { name: 'b', engines: ['b'] },
    { name: 'c and d', engines: ['c', 'd'] },
    { name: 'absent', engines: ['e'] },
  ];
  const found = ratios(all, 'ours', sides);
  expect(found.map(({ contender: place, opponent }) => [place, opponent])).toEqual([
    [0, 'b'],
    [0, 'c and d'],
    [2, 'b'],
    [2, 'c and d'],
  ]);
  expect(found[3].qps['0.90']).toBe(3 / 5);
});
