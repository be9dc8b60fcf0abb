import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitmap } from '../../src/filter/bitmap.js';
import { evaluate } from '../../src/filter/evaluate.js';
import { parseFilter } from '../../src/filter/parse.js';
import { PayloadIndexes } from '../../src/filter/payload-indexes.js';

const value = fc.integer({ min: 0, max: 12 });
const bound = fc.option(fc.integer({ min: -1, max: 13 }), { nil: undefined });
const range = fc.record({ gt: bound, gte: bound, lt: bound, lte: bound });

/** Rows whose values are within the range, by looking at each. */
function matching(
  rows: readonly number[][],
  { gt, gte, lt, lte }: Record<string, number | undefined>,
) {
  const isWithin = (n: number) =>
    !(
      n <= (gt ?? -Infinity) ||
      n < (gte ?? -Infinity) ||
      n >= (lt ?? Infinity) ||
      n > (lte ?? Infinity)
    );
  return rows.flatMap((values, row) => (values.some(isWithin) ? [row] : []));
}

test.each([
  [
    'one value each',
    fc.array(
      value.map((n) => [n]),
      { minLength: 1, maxLength: 60 },
    ),
  ],
  [
    'one value or none',
    fc.array(fc.array(value, { maxLength: 1 }), { minLength: 1, maxLength: 60 }),
  ],
  [
    'some of them several',
    fc.array(fc.array(value, { maxLength: 3 }), { minLength: 1, maxLength: 60 }),
  ],
])('ranges of rows with %s, narrow and wide', (_, anyRows) => {
  fc.assert(
    fc.property(anyRows, range, fc.constantFrom('integer', 'float'), (rows, bounds, type) => {
      const indexes = new PayloadIndexes();
      indexes.create('n', type as 'integer');
      rows.forEach((values, row) => {
        indexes.add(row, { n: values.length === 1 ? values[0] : values });
      });
      const live = Bitmap.from(Uint32Array.from(rows.keys()));
      const filter = parseFilter('filter', { must: { key: 'n', range: bounds } });
      const context = { live, indexes, rowOf: () => undefined, withVector: () => undefined };
      const found = evaluate(filter, context);
      const expected = matching(rows, bounds);
      expect(found.exact).toBe(true);
      expect([...found.rows.toUint32Array()]).toEqual(expected);
      for (const bitmap of [live, found.rows, found.unsure]) bitmap.dispose();
      indexes.dispose();
    }),
    { seed: 8, numRuns: 500 },
  );
});
