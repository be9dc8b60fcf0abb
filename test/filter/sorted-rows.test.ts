import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import type { Interval } from '../../src/filter/interval.js';
import { BUCKET_PAIRS, SortedRows } from '../../src/filter/sorted-rows.js';

type Pair = [value: number, row: number];

const inOrder = (a: Pair, b: Pair) => a[0] - b[0] || a[1] - b[1];

function pairsOf(sorted: SortedRows, interval?: Interval): Pair[] {
  const found = interval === undefined ? sorted.between() : sorted.within(interval);
  return found.flatMap(({ values, rows }) =>
    [...values].map((value, i): Pair => [value, rows[i]!]),
  );
}

const holds = ({ low, lowOpen, high, highOpen }: Interval, [value]: Pair) =>
  (lowOpen ? value > low : value >= low) && (highOpen ? value < high : value <= high);

/** A list of pairs changed at random, far past one bucket, beside the sorted rows. */
function churned(seed: number, steps: number, values: number) {
  const random = new Random(seed);
  const sorted = new SortedRows();
  const model = new Map<string, Pair>();
  for (let step = 0; step < steps; step++) {
    // Grows, then shrinks.
    const isAdded = random.below(4) < (step < steps / 2 ? 3 : 1);
    const pair: Pair = [random.below(values) / 2 - 5, random.below(3000)];
    if (isAdded) {
      sorted.add(...pair);
      model.set(pair.join(), pair);
    } else {
      sorted.remove(...pair);
      model.delete(pair.join());
    }
  }
  return { sorted, model: [...model.values()].sort(inOrder), random };
}

const bound = fc.constantFrom(-Infinity, -6, -5, 0, 0.25, 1.5, 20, 44.5, 45, Infinity);
const interval = fc.record({
  low: bound,
  lowOpen: fc.boolean(),
  high: bound,
  highOpen: fc.boolean(),
});

describe('sorted rows', () => {
  test.each([
    [1, 3000, 4],
    [2, 40_000, 100],
    [3, 60_000, 20_000],
    [4, 60_000, 3],
  ])('hold what was added (seed %i, %i changes, %i values)', (seed, steps, values) => {
    const { sorted, model } = churned(seed, steps, values);
    expect(pairsOf(sorted)).toEqual(model);
    fc.assert(
      fc.property(interval, (asked) => {
        expect(pairsOf(sorted, asked)).toEqual(model.filter((pair) => holds(asked, pair)));
      }),
      { seed, numRuns: 100 },
    );
    expect(model.every(([, row]) => row <= sorted.lastRow)).toBe(true);
  });

  test('give memory back when most pairs are gone', () => {
    const sorted = new SortedRows();
    for (let i = 0; i < 50 * BUCKET_PAIRS; i++) sorted.add(i % 1009, i);
    const full = sorted.byteLength;
    for (let i = 0; i < 50 * BUCKET_PAIRS; i++) if (i % 50 > 0) sorted.remove(i % 1009, i);
    expect(sorted.byteLength).toBeLessThan(full / 8);
    expect(pairsOf(sorted)).toHaveLength(BUCKET_PAIRS);
  });

  test('give a bucket back when its last pair is gone', () => {
    const sorted = new SortedRows();
    for (let i = 0; i < 3 * BUCKET_PAIRS; i++) sorted.add(i, i);
    for (let i = BUCKET_PAIRS; i < 2 * BUCKET_PAIRS; i++) sorted.remove(i, i);
    expect(sorted.byteLength).toBe(2 * BUCKET_PAIRS * 12);
  });

  test('fill their buckets when values ascend', () => {
    const sorted = new SortedRows();
    for (let i = 0; i < 20 * BUCKET_PAIRS; i++) sorted.add(i, i);
    expect(sorted.byteLength).toBe(20 * BUCKET_PAIRS * 12);
  });

  test('forget rows', () => {
    const { sorted, model, random } = churned(7, 60_000, 500);
    const gone = new Set(Array.from({ length: 2700 }, () => random.below(3000)));
    drain(sorted.forget((row) => gone.has(row)));
    expect(pairsOf(sorted)).toEqual(model.filter(([, row]) => !gone.has(row)));
    const few = model.filter(([, row]) => !gone.has(row) && row % 40 === 0);
    drain(sorted.forget((row) => row % 40 > 0));
    expect(pairsOf(sorted)).toEqual(few);
    drain(sorted.forget(() => true));
    expect(pairsOf(sorted)).toEqual([]);
    sorted.add(1, 2);
    expect(pairsOf(sorted)).toEqual([[1, 2]]);
  });

  test('keep what comes while rows are forgotten', () => {
    const { sorted, model, random } = churned(9, 60_000, 500);
    const fresh: Pair[] = [];
    for (const _ of sorted.forget((row) => row < 1500)) {
      for (let i = 0; i < 500; i++) {
        const pair: Pair = [random.below(500) / 2 - 5, 3000 + fresh.length];
        sorted.add(...pair);
        fresh.push(pair);
      }
    }
    const found = pairsOf(sorted).filter(([, row]) => row >= 1500);
    const kept = model.filter(([, row]) => row >= 1500);
    expect(found).toEqual([...kept, ...fresh].sort(inOrder));
  });
});
