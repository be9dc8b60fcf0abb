import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { Bitmap } from '../../src/filter/bitmap.js';
import { evaluate, type FilterContext } from '../../src/filter/evaluate.js';
import type { FieldSchema } from '../../src/filter/field-schema.js';
import { matches } from '../../src/filter/match.js';
import { parseFilter } from '../../src/filter/parse.js';
import { PayloadIndexes } from '../../src/filter/payload-indexes.js';
import { loadIndexes, saveIndexes } from '../../src/filter/saved-indexes.js';
import type { Filter, Payload } from '../../src/filter/types.js';
import { anyFilter, anyPayload, anySchemas } from './support.js';

/** The point in a row; its id is the row's number plus 3. */
interface Point {
  payload: Payload | null;
  isLive: boolean;
}

const hasVector = (row: number) => (name: string) => name === 'even' && row % 2 === 0;

/** Rows that match, point by point. */
function byMatching(filter: Filter, schemas: ReadonlyMap<string, FieldSchema>, points: Point[]) {
  const parsed = parseFilter('filter', filter, schemas);
  return points.flatMap(({ payload, isLive }, row) => {
    const point = { id: row + 3, payload, hasVector: hasVector(row) };
    return isLive && matches(parsed, point) ? [row] : [];
  });
}

function contextOf(indexes: PayloadIndexes, points: Point[]): FilterContext {
  const rows = points.flatMap(({ isLive }, row) => (isLive ? [row] : []));
  const even = points.flatMap((_, row) => (row % 2 === 0 ? [row] : []));
  return {
    live: Bitmap.from(Uint32Array.from(rows)),
    indexes,
    rowOf: (id) => (typeof id === 'number' && id >= 3 && points[id - 3] ? id - 3 : undefined),
    withVector: (name) => (name === 'even' ? Bitmap.from(Uint32Array.from(even)) : undefined),
  };
}

let cases = 0;
let exactCases = 0;

/** Compares what indexes find with what matches one by one. */
function check(filter: Filter, context: FilterContext, points: Point[]): void {
  const schemas = context.indexes.schemas;
  const expected = byMatching(filter, schemas, points);
  const { rows, exact, unsure } = evaluate(parseFilter('filter', filter, schemas), context);
  const found = [...rows.toUint32Array()];
  expect(found.filter((row) => !points[row]!.isLive)).toEqual([]);
  expect(expected.filter((row) => !rows.has(row))).toEqual([]);
  expect(found.filter((row) => !unsure.has(row) && !expected.includes(row))).toEqual([]);
  expect([...unsure.toUint32Array()].filter((row) => !rows.has(row))).toEqual([]);
  expect(exact).toBe(unsure.isEmpty);
  if (exact) expect(found).toEqual(expected);
  rows.dispose();
  unsure.dispose();
  cases++;
  if (exact) exactCases++;
}

describe('evaluation', () => {
  afterAll(() => {
    expect(cases).toBeGreaterThan(20_000);
    // That the indexes answer at all, and not only say that they are unsure.
    expect(exactCases / cases).toBeGreaterThan(0.25);
  });

  test('finds the points that match, after any changes', () => {
    const change = fc.record({
      row: fc.nat(23),
      payload: anyPayload,
      how: fc.constantFrom('change', 'remove', 'forget', 'add'),
    });
    fc.assert(
      fc.property(
        fc.array(anyPayload, { maxLength: 24 }),
        anySchemas,
        fc.array(change, { maxLength: 8 }),
        fc.array(anyFilter, { minLength: 9, maxLength: 11 }),
        (payloads, schemas, changes, filters) => {
          let indexes = new PayloadIndexes();
          for (const [field, schema] of schemas) indexes.create(field, schema);
          const points: Point[] = payloads.map((payload) => ({ payload, isLive: true }));
          for (const [row, { payload }] of points.entries()) indexes.add(row, payload);
          for (const { row, payload, how } of changes) apply(indexes, points, row, payload, how);
          // Every second time what is asked was saved and loaded.
          if (filters.length % 2 === 0) indexes = reloaded(indexes);
          const context = contextOf(indexes, points);
          for (const filter of filters) check(filter, context, points);
          context.live.dispose();
          indexes.dispose();
        },
      ),
      { seed: 11, numRuns: 2200 },
    );
  });
});

/** The same indexes by way of their saved form. */
function reloaded(indexes: PayloadIndexes): PayloadIndexes {
  const loaded = drain(loadIndexes({ ...drain(saveIndexes(indexes)) }));
  indexes.dispose();
  return loaded;
}

function apply(
  indexes: PayloadIndexes,
  points: Point[],
  row: number,
  payload: Payload | null,
  how: string,
): void {
  const point = points[row];
  if (point === undefined) return;
  if (how === 'add') {
    points.push({ payload, isLive: true });
    indexes.add(points.length - 1, payload);
  }
  if (!point.isLive) return;
  if (how === 'change') {
    indexes.remove(row, point.payload);
    indexes.add(row, payload);
    point.payload = payload;
  } else if (how === 'remove') {
    // Rows that ended are dropped now, later or never.
    if (row % 3 > 0) indexes.remove(row, point.payload);
    point.isLive = false;
  } else if (how === 'forget') {
    const rows = Bitmap.from(Uint32Array.of(row));
    indexes.forget(rows);
    rows.dispose();
    point.isLive = false;
  }
}
