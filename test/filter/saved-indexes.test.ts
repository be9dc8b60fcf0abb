import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain, runSteps } from '../../src/base/steps.js';
import { Bitmap } from '../../src/filter/bitmap.js';
import { evaluate } from '../../src/filter/evaluate.js';
import { parseFilter } from '../../src/filter/parse.js';
import { PayloadIndexes } from '../../src/filter/payload-indexes.js';
import { loadIndexes, type SavedIndexes, saveIndexes } from '../../src/filter/saved-indexes.js';
import type { Filter } from '../../src/filter/types.js';
import { errorOf } from '../datasets/support.js';

const SCHEMAS = {
  tag: 'keyword',
  n: 'integer',
  price: 'float',
  on: 'bool',
  when: 'datetime',
  id: 'uuid',
  at: 'geo',
  text: { type: 'text', tokenizer: 'prefix', min_token_len: 2 },
} as const;

/** Indexes of every type over so many rows. */
function indexesOf(count: number): PayloadIndexes {
  const random = new Random(5);
  const indexes = new PayloadIndexes();
  for (const [field, schema] of Object.entries(SCHEMAS)) indexes.create(field, schema);
  for (let row = 0; row < count; row++) {
    indexes.add(row, {
      tag: [`t${random.below(50)}`, 'half a pair: \ud800', null],
      n: random.below(9) - 4,
      price: random.below(3) > 0 ? random.uniform() : 'none',
      on: row % 2 === 0,
      when: new Date(1e12 + random.uint32()).toISOString(),
      id: `936da01f-9abd-4d9d-80c7-${String(random.below(10 ** 9)).padStart(12, '0')}`,
      at: { lon: random.below(360) - 180, lat: random.below(180) - 90 },
      text: `some words ${random.below(100)}`,
    });
  }
  return indexes;
}

const FILTERS: Filter[] = [
  { must: { key: 'tag', match: { any: ['t1', 't2', 'half a pair: \ud800'] } } },
  { must_not: { key: 'tag', match: { except: ['t1', 't3'] } } },
  { must: { key: 'n', range: { gt: -1, lte: 2 } } },
  { must: { key: 'price', range: { gte: 0.5 } } },
  { must: { key: 'price', match: { except: [] } } },
  { must: { key: 'on', match: { value: true } } },
  { must: { key: 'when', range: { gte: '2001-09-20' } } },
  { must: { key: 'id', match: { prefix: '936da01f' } } },
  { must: { key: 'at', geo_radius: { center: { lon: 0.2, lat: 0.3 }, radius: 5e6 } } },
  { must: { key: 'text', match: { text: 'wor 7' } } },
  { must: { is_null: { key: 'tag' } } },
  { must: { is_empty: { key: 'n' } } },
];

/** What all filters find: rows, and those that are not sure. */
function answers(indexes: PayloadIndexes, count: number): Uint32Array[][] {
  const live = Bitmap.from(Uint32Array.from({ length: count }, (_, row) => row));
  const context = { live, indexes, rowOf: () => undefined, withVector: () => undefined };
  return FILTERS.map((filter) => {
    const { rows, unsure } = evaluate(parseFilter('filter', filter, indexes.schemas), context);
    return [rows, unsure].map((set) => set.toUint32Array());
  });
}

/** All in one text, which is compared faster. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? String(part) : part));

const load = (saved: SavedIndexes) => drain(loadIndexes({ ...saved }));

describe('saved payload indexes', () => {
  test.each([0, 1, 20_000])('of %i rows answer as before', async (count) => {
    const indexes = indexesOf(count);
    const saved = await runSteps(saveIndexes(indexes));
    expect(JSON.parse(JSON.stringify(saved.header))).toEqual(saved.header);
    const loaded = load(saved);
    expect([...loaded.schemas]).toEqual(Object.entries(SCHEMAS));
    expect(textOf(answers(loaded, count))).toBe(textOf(answers(indexes, count)));
    expect(textOf(drain(saveIndexes(loaded)))).toBe(textOf(saved));
    const all = Bitmap.from(Uint32Array.from({ length: count }, (_, row) => row));
    expect(loaded.facet('tag', all, 20)).toEqual(indexes.facet('tag', all, 20));
  });

  test('go on being changed after they were loaded', () => {
    const loaded = load(drain(saveIndexes(indexesOf(1000))));
    const payload = { tag: 'fresh', n: 2, at: { lon: 5, lat: 5 }, text: 'fresh words' };
    loaded.add(1000, payload);
    loaded.add(1001, payload);
    expect(loaded.pointsIn('n')).toBe(1002);
    loaded.remove(1000, payload);
    loaded.remove(1001, payload);
    expect(textOf(drain(saveIndexes(loaded)))).toBe(textOf(drain(saveIndexes(indexesOf(1000)))));
  });

  test('must not change while they are saved', () => {
    const indexes = indexesOf(2000);
    const steps = saveIndexes(indexes);
    steps.next();
    indexes.add(5000, { n: 1 });
    expect(errorOf(() => drain(steps)).code).toBe('INTERNAL');
  });

  test('are made in many small steps', () => {
    const steps = [...saveIndexes(indexesOf(30_000))];
    expect(steps.length).toBeGreaterThan(100);
  });
});

describe('payload indexes that are damaged', () => {
  const saved = drain(saveIndexes(indexesOf(20)));
  const names = Object.keys(saved.sections);

  /** Loads with one section changed: an error, or indexes that work. */
  function expectSoundOrCorrupt(name: string, bytes: Uint8Array): void {
    let loaded: PayloadIndexes;
    try {
      loaded = load({ ...saved, sections: { ...saved.sections, [name]: bytes } });
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPT' });
      return;
    }
    for (const [rows] of answers(loaded, 20)) expect(rows!.every((row) => row < 20)).toBe(true);
    loaded.dispose();
  }

  test('are refused when a section is missing, cut short or continued', () => {
    for (const name of names) {
      const { [name]: bytes, ...others } = saved.sections;
      expect(errorOf(() => load({ ...saved, sections: others })).code).toBe('CORRUPT');
      for (const length of [0, 1, bytes!.length - 1]) {
        // Of the parts of a field the first one may be empty, but the rest would not fit.
        if (length === 0 && !name.endsWith('.rows')) continue;
        const cut = { ...saved.sections, [name]: bytes!.subarray(0, length) };
        expect(errorOf(() => load({ ...saved, sections: cut })).code).toBe('CORRUPT');
      }
      const more = { ...saved.sections, [name]: Uint8Array.of(...bytes!, 1) };
      expect(errorOf(() => load({ ...saved, sections: more })).code).toBe('CORRUPT');
    }
  });

  test('never crash, whichever byte is changed', () => {
    for (const name of names) {
      const bytes = saved.sections[name]!;
      for (const at of bytes.keys()) {
        const flipped = bytes.slice();
        flipped[at]! ^= 1 << (at % 8);
        expectSoundOrCorrupt(name, flipped);
      }
    }
  });

  test('never crash, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.uint8Array({ maxLength: 60 }),
        expectSoundOrCorrupt,
      ),
      { seed: 16, numRuns: 500 },
    );
  });

  const [field] = saved.header.fields;
  test.each<[string, unknown]>([
    ['no fields', {}],
    ['fields that are no list', { fields: { length: 1 } }],
    ['a field that is none', { fields: [null] }],
    ['a path that is none', { fields: [{ ...field, name: 'a..b' }] }],
    ['a path written otherwise', { fields: [{ ...field, name: '"tag"' }] }],
    ['a schema that is none', { fields: [{ ...field, schema: 'string' }] }],
    ['another schema', { fields: [{ ...field, schema: 'integer' }] }],
    ['a field twice', { fields: [field, field] }],
    ['a wrong number of parts', { fields: [{ ...field, parts: 1e15 }] }],
    ['no number of parts', { fields: [{ ...field, parts: -1 }] }],
  ])('are refused with %s', (_, header) => {
    const error = errorOf(() => load({ ...saved, header: header as SavedIndexes['header'] }));
    expect(error.code).toBe('CORRUPT');
  });

  test.each<[string, number[], number[]]>([
    ['values out of order', [2, 1], [0, 1]],
    ['rows out of order', [1, 1], [1, 0]],
    ['a pair twice', [1, 1], [3, 3]],
    ['a value that is not finite', [1, Infinity], [0, 1]],
    ['no number', [Number.NaN], [0]],
    ['a value of another type', [1.5], [0]],
    ['a zero of the other sign', [-0], [0]],
  ])('are refused with %s', (_, values, rows) => {
    const bytes = Buffer.concat([
      Buffer.from(Uint32Array.of(values.length).buffer),
      Buffer.from(Float64Array.from(values).buffer),
      Buffer.from(Uint32Array.from(rows).buffer),
    ]);
    const sections = { ...saved.sections, '1.0': new Uint8Array(bytes) };
    expect(errorOf(() => load({ ...saved, sections })).code).toBe('CORRUPT');
  });

  test.each([
    ['["a","a"]'],
    ['["a",5]'],
    ['{"length":2}'],
    ['["a",'],
    ['"ab"'],
  ])('are refused with the terms %s', (terms) => {
    const bytes = Buffer.concat([
      Buffer.from(Uint32Array.of(terms.length).buffer),
      Buffer.from(terms),
      Buffer.from(Uint32Array.of(0, 1, 0, 2).buffer),
    ]);
    const sections = { ...saved.sections, '0.0': new Uint8Array(bytes) };
    expect(errorOf(() => load({ ...saved, sections })).code).toBe('CORRUPT');
  });
});
