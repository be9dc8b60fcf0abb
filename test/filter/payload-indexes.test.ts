import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drain, runSteps } from '../../src/base/steps.js';
import { Bitmap } from '../../src/filter/bitmap.js';
import { evaluate } from '../../src/filter/evaluate.js';
import type { FieldSchema } from '../../src/filter/field-schema.js';
import { parseFilter } from '../../src/filter/parse.js';
import { parsePath, valuesAt } from '../../src/filter/path.js';
import { PayloadIndexes } from '../../src/filter/payload-indexes.js';
import type { Payload } from '../../src/filter/types.js';
import { errorOf } from '../datasets/support.js';
import { anyPayload, FIELDS } from './support.js';

function indexesOf(schemas: Record<string, FieldSchema>, payloads: readonly (Payload | null)[]) {
  const indexes = new PayloadIndexes();
  for (const [field, schema] of Object.entries(schemas)) indexes.create(field, schema);
  for (const [row, payload] of payloads.entries()) indexes.add(row, payload);
  return indexes;
}

const rowsTo = (count: number) => Bitmap.from(Uint32Array.from({ length: count }, (_, row) => row));

describe('payload indexes', () => {
  test('are by field, however its path is written', () => {
    const indexes = new PayloadIndexes();
    indexes.create('"a".b', 'keyword');
    indexes.create('"c d"', { type: 'text', tokenizer: 'prefix' });
    expect([...indexes.schemas]).toEqual([
      ['a.b', 'keyword'],
      ['"c d"', { type: 'text', tokenizer: 'prefix' }],
    ]);
    expect(errorOf(() => indexes.create('a.b', 'integer')).code).toBe('ALREADY_EXISTS');
    expect(errorOf(() => indexes.create('a..b', 'integer')).code).toBe('INVALID_ARGUMENT');
    expect(errorOf(() => indexes.create('x', 'number' as 'float')).code).toBe('INVALID_ARGUMENT');
    expect([indexes.drop('a."b"'), indexes.drop('a.b')]).toEqual([true, false]);
    expect([...indexes.schemas.keys()]).toEqual(['"c d"']);
  });

  test('count the rows that have a value of the type', () => {
    const indexes = indexesOf({ a: 'integer' }, [
      { a: 1 },
      { a: [1, 2, 'x'] },
      { a: 'x' },
      { a: 1.5 },
      { a: null },
      null,
    ]);
    expect(indexes.pointsIn('a')).toBe(2);
    indexes.remove(1, { a: [1, 2, 'x'] });
    expect([indexes.pointsIn('a'), indexes.pointsIn('b')]).toEqual([1, 0]);
  });

  test('take any row of 32 bits', () => {
    const indexes = indexesOf({ a: 'keyword', n: 'float' }, []);
    const rows = [0, 2 ** 31, 2 ** 32 - 1];
    for (const row of rows) indexes.add(row, { a: `x${row}`, n: row });
    const live = Bitmap.from(Uint32Array.from(rows));
    const context = { live, indexes, rowOf: () => undefined, withVector: () => undefined };
    for (const test of [{ match: { prefix: 'x' } }, { range: { gte: 0 } }]) {
      const keys = ['a', 'n'].map((key) => ({ key, ...test }));
      const filter = parseFilter('filter', { should: keys });
      expect([...evaluate(filter, context).rows.toUint32Array()]).toEqual(rows);
    }
  });

  test('are built anew one by one', () => {
    const payloads = [{ a: 'x', b: 1 }, { a: 'y', b: 2 }, null];
    const indexes = indexesOf({ a: 'keyword' }, payloads);
    indexes.create('b', 'integer');
    for (const [row, payload] of payloads.entries()) indexes.add(row, payload, ['"b"']);
    expect([indexes.pointsIn('a'), indexes.pointsIn('b')]).toEqual([2, 2]);
    expect(errorOf(() => indexes.add(0, null, ['c'])).code).toBe('NOT_FOUND');
  });

  test('tell their size in bytes', () => {
    const one = indexesOf({ a: 'keyword', b: 'float' }, [{ a: 'x', b: 1 }]).byteLength;
    const payloads = Array.from({ length: 10_000 }, (_, i) => ({ a: `x${i}`, b: i }));
    const many = indexesOf({ a: 'keyword', b: 'float' }, payloads).byteLength;
    expect(one).toBeGreaterThan(0);
    expect(many - one).toBeGreaterThan(10_000 * (12 + 10));
    expect(many - one).toBeLessThan(10_000 * 200);
  });

  test('forget rows in slices, while others come', async () => {
    const payloads = Array.from({ length: 5000 }, (_, i) => ({ a: `x${i % 700}`, b: i }));
    const indexes = indexesOf({ a: 'keyword', b: 'integer' }, payloads);
    const gone = Bitmap.from(Uint32Array.from({ length: 2500 }, (_, i) => 2 * i));
    let next = 5000;
    const steps = indexes.forgetting(gone);
    await runSteps(
      (function* () {
        for (const step of steps) {
          indexes.add(next++, { a: 'new', b: -1 });
          yield step;
        }
      })(),
    );
    const all = rowsTo(next);
    expect(next).toBeGreaterThan(5000);
    expect(indexes.facet('b', all, 1)).toEqual([{ value: -1, count: next - 5000 }]);
    expect(indexes.pointsIn('a')).toBe(next - 2500);
    expect(indexes.facet('a', gone, 5)).toEqual([]);
  });
});

test('payload indexes may be dropped while rows are forgotten', () => {
  const payloads = Array.from({ length: 1000 }, (_, i) => ({ a: `x${i % 300}`, b: i, c: i }));
  const indexes = indexesOf({ a: 'keyword', b: 'integer', c: 'float' }, payloads);
  const gone = rowsTo(500);
  const steps = indexes.forgetting(gone);
  steps.next();
  indexes.drop('a');
  indexes.drop('b');
  drain(steps);
  expect(indexes.pointsIn('c')).toBe(500);
});

describe('a facet', () => {
  test('is by count, then by value', () => {
    const payloads = ['b', 'a', 'c', ['b', 'c', 'b'], 5].map((tag) => ({ tag, n: 1, on: true }));
    const indexes = indexesOf({ tag: 'keyword', n: 'integer', on: 'bool' }, payloads);
    expect(indexes.facet('tag', rowsTo(5), 10)).toEqual([
      { value: 'b', count: 2 },
      { value: 'c', count: 2 },
      { value: 'a', count: 1 },
    ]);
    expect(indexes.facet('tag', rowsTo(5), 1)).toEqual([{ value: 'b', count: 2 }]);
    expect(indexes.facet('tag', rowsTo(1), 10)).toEqual([{ value: 'b', count: 1 }]);
    expect(indexes.facet('n', rowsTo(9), 10)).toEqual([{ value: 1, count: 5 }]);
    expect(indexes.facet('on', rowsTo(2), 10)).toEqual([{ value: true, count: 2 }]);
  });

  test('is of fields that are indexed, as a type with few values', () => {
    const indexes = indexesOf({ price: 'float', text: 'text', when: 'datetime', at: 'geo' }, []);
    for (const field of ['price', 'text', 'when', 'at']) {
      expect(errorOf(() => indexes.facet(field, rowsTo(1), 1)).code).toBe('UNSUPPORTED');
    }
    expect(errorOf(() => indexes.facet('x', rowsTo(1), 1)).code).toBe('NOT_FOUND');
    indexes.create('x', 'uuid');
    for (const limit of [0, 1.5, '1' as unknown as number]) {
      expect(errorOf(() => indexes.facet('x', rowsTo(1), limit)).code).toBe('INVALID_ARGUMENT');
    }
  });

  test('counts each value once a row', () => {
    const types = {
      keyword: (value: unknown) => typeof value === 'string',
      bool: (value: unknown) => typeof value === 'boolean',
      integer: (value: unknown) => Number.isInteger(value),
    };
    const type = fc.constantFrom('keyword' as const, 'bool' as const, 'integer' as const);
    const rows = fc.array(fc.nat(30), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.array(anyPayload, { maxLength: 30 }),
        fc.constantFrom(...FIELDS),
        type,
        rows,
        fc.integer({ min: 1, max: 4 }),
        (payloads, field, type, rows, limit) => {
          const counts = new Map<unknown, number>();
          for (const row of new Set(rows)) {
            const values = valuesAt(payloads[row] ?? null, parsePath('field', field));
            for (const value of new Set(values.filter(types[type]))) {
              counts.set(value, (counts.get(value) ?? 0) + 1);
            }
          }
          const expected = [...counts]
            .sort(([a, n], [b, m]) => m - n || ((a as string) < (b as string) ? -1 : 1))
            .slice(0, limit)
            .map(([value, count]) => ({ value, count }));
          const indexes = indexesOf({ [field]: type }, payloads);
          expect(indexes.facet(field, Bitmap.from(Uint32Array.from(rows)), limit)).toEqual(
            expected,
          );
          indexes.dispose();
        },
      ),
      { seed: 15, numRuns: 500 },
    );
  });

  test('of many values is cut to the most frequent', () => {
    const payloads = Array.from({ length: 5000 }, (_, i) => ({ tag: `t${(i * i) % 1500}` }));
    const counts = new Map<string, number>();
    for (const { tag } of payloads) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    const expected = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 20);
    const hits = indexesOf({ tag: 'keyword' }, payloads).facet('tag', rowsTo(5000), 20);
    expect(hits.map(({ value, count }) => [value, count])).toEqual(expected);
  });
});
