import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { SparsePostings } from '../../src/db/sparse-postings.js';
import { copyPairs, PAIR_NUMBERS, type SparseVector } from '../../src/db/sparse-vectors.js';

type Entries = Map<number, number>;

function pairsOf(entries: Entries): Float32Array {
  const pairs = new Float32Array(PAIR_NUMBERS * entries.size);
  const given: SparseVector = { indices: [...entries.keys()], values: [...entries.values()] };
  copyPairs('vector', given, pairs);
  return pairs;
}

/** The definition, in float64. */
function bestBy(rows: ReadonlyMap<number, Entries>, query: Entries, k: number, isIdf: boolean) {
  const having = (index: number) => [...rows.values()].filter((row) => row.has(index)).length;
  const scored = [...rows].flatMap(([row, entries]) => {
    const shared = [...query].filter(([index]) => entries.has(index));
    if (shared.length === 0) return [];
    const terms = shared.map(([index, value]) => {
      const n = having(index);
      const weight = isIdf ? Math.log(1 + (rows.size - n + 0.5) / (n + 0.5)) : 1;
      return weight * value * entries.get(index)!;
    });
    return [{ row, score: terms.reduce((sum, term) => sum + term, 0) }];
  });
  return scored.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
}

const anEntry = fc.tuple(
  fc.oneof(fc.nat(12), fc.constantFrom(2 ** 31, 2 ** 32 - 1, 0x7fc0_0001)),
  fc.integer({ min: -8, max: 8 }).map((x) => x / 4),
);
const someEntries = fc
  .uniqueArray(anEntry, { selector: ([index]) => index, minLength: 1, maxLength: 8 })
  .map((entries) => new Map(entries));
const aStep = fc.oneof(
  fc.record({ add: fc.nat(60), entries: someEntries }),
  fc.record({ remove: fc.nat(60) }),
);

describe('sparse postings', () => {
  test.each([
    'none',
    'idf',
  ] as const)('with modifier %s find what the definition does', (modifier) => {
    fc.assert(
      fc.property(
        fc.array(aStep, { maxLength: 120 }),
        someEntries,
        fc.integer({ min: 1, max: 20 }),
        (steps, query, k) => {
          const postings = new SparsePostings();
          const rows = new Map<number, Entries>();
          for (const step of steps) {
            if ('remove' in step) {
              postings.remove(step.remove);
              rows.delete(step.remove);
            } else if (!rows.has(step.add)) {
              postings.add(step.add, pairsOf(step.entries));
              rows.set(step.add, step.entries);
            }
          }
          const allowed = (row: number) => row % 5 !== 0;
          const all = new Map(rows);
          const found = drain(postings.search(pairsOf(query), 100, modifier, () => true));
          const expected = bestBy(all, query, 100, modifier === 'idf');
          expect(found.ids).toHaveLength(expected.length);
          found.ids.forEach((row, i) => {
            const score = expected.find((one) => one.row === row)!.score;
            expect(found.scores[i]).toBeCloseTo(score, 9);
          });
          const few = drain(postings.search(pairsOf(query), k, modifier, allowed));
          const kept = [...found.ids.keys()].filter((i) => allowed(found.ids[i]!)).slice(0, k);
          expect([...few.ids]).toEqual(kept.map((i) => found.ids[i]));
          expect([...few.scores]).toEqual(kept.map((i) => found.scores[i]));
          expect(postings.count).toBe(rows.size);
          expect(postings.size).toEqual({
            indices: new Set([...rows.values()].flatMap((row) => [...row.keys()])).size,
            entries: [...rows.values()].reduce((sum, row) => sum + row.size, 0),
          });
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });

  test('search rows far apart, window by window', () => {
    const random = new Random(8);
    const postings = new SparsePostings();
    const rows = new Map<number, Entries>();
    for (let i = 0; i < 500; i++) {
      const row = Math.floor(random.uniform() * 400_000);
      if (rows.has(row)) continue;
      const entries = new Map(
        [0, 1, 2].map((j) => [7 * j + (i % 7), Math.fround(random.gaussian())]),
      );
      rows.set(row, entries);
      postings.add(row, pairsOf(entries));
    }
    const query: Entries = new Map([...Array(21).keys()].map((index) => [index, (index % 3) + 1]));
    const found = drain(postings.search(pairsOf(query), 50, 'none', () => true));
    const expected = bestBy(rows, query, 50, false);
    expect([...found.ids]).toEqual(expected.map(({ row }) => row));
  });
});
