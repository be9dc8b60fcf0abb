import { expect, test } from 'vitest';
import { Ledger } from '../../../bench/server/ledger.js';

const found = (points: Record<number, number>) =>
  new Map(Object.entries(points).map(([id, version]) => [Number(id), version]));

test('what was acknowledged must be there, as it was, and what was deleted must not', () => {
  const ledger = new Ledger();
  ledger.begin(
    new Map([
      [1, 1],
      [2, 1],
    ]),
  );
  ledger.acknowledge();
  ledger.begin(new Map([[2, undefined]]));
  ledger.acknowledge();
  expect(ledger.size).toBe(2);
  expect(ledger.lost(found({ 1: 1 }))).toEqual([]);
  expect(ledger.lost(found({}))).toEqual([1]);
  expect(ledger.lost(found({ 1: 2 }))).toEqual([1]);
  expect(ledger.lost(found({ 1: 1, 2: 1 }))).toEqual([2]);
});

test('what was under way may be done or not, and nothing else', () => {
  const ledger = new Ledger();
  ledger.begin(new Map([[1, 1]]));
  ledger.acknowledge();
  ledger.begin(
    new Map<number, number | undefined>([
      [1, undefined],
      [3, 7],
    ]),
  );
  expect(ledger.lost(found({ 1: 1 }))).toEqual([]);
  expect(ledger.lost(found({ 3: 7 }))).toEqual([]);
  expect(ledger.lost(found({ 1: 2, 3: 6 })).sort()).toEqual([1, 3]);
});
