import { describe, expect, test } from 'vitest';
import { pointOf } from '../../../src/cli/ingest/records.js';

const NAMES = { id: 'id', vector: 'vector', vectors: 'vectors', payload: 'payload' };

describe('pointOf', () => {
  test.each<[string, object, Partial<typeof NAMES> & { using?: string; firstId?: number }, object]>(
    [
      [
        'a payload',
        { id: 1, vector: [1], payload: { a: 1 } },
        {},
        { id: 1, vector: [1], payload: { a: 1 } },
      ],
      ['none', { id: 1, vector: [1] }, {}, { id: 1, vector: [1], payload: null }],
      ['null', { id: 1, vector: [1], payload: null }, {}, { id: 1, vector: [1], payload: null }],
      [
        'the rest',
        { id: 'x', vector: [1], a: 1, b: [2] },
        {},
        { id: 'x', vector: [1], payload: { a: 1, b: [2] } },
      ],
      [
        'named vectors',
        { id: 1, vectors: { t: [1] } },
        {},
        { id: 1, vector: { t: [1] }, payload: null },
      ],
      [
        'a name for the vector',
        { id: 1, vector: [1] },
        { using: 't' },
        { id: 1, vector: { t: [1] }, payload: null },
      ],
      [
        'other names',
        { k: 1, v: [1], p: { id: 2 } },
        { id: 'k', vector: 'v', payload: 'p' },
        { id: 1, vector: [1], payload: { id: 2 } },
      ],
      [
        'numbers as ids',
        { id: 'a', vector: [1] },
        { firstId: 10 },
        { id: 13, vector: [1], payload: { id: 'a' } },
      ],
    ],
  )('%s', (_, record, names, expected) => {
    expect(pointOf(record, { ...NAMES, ...names }, 3)).toEqual(expected);
  });

  test.each<[unknown, RegExp]>([
    [[1], /expected a JSON object/],
    ['text', /expected a JSON object/],
    [null, /expected a JSON object/],
    [{ vector: [1] }, /no field "id"/],
    [{ id: 1 }, /no field "vector" or "vectors"/],
    [{ id: 1, vector: [1], vectors: {} }, /received both/],
    [{ id: 1, vector: [1], payload: {}, x: 1 }, /"x" is beside "payload"/],
    [{ id: 1, vector: [1], payload: [1] }, /"payload" must be an object/],
  ])('%j is refused', (record, message) => {
    expect(() => pointOf(record, NAMES, 0)).toThrow(message);
  });
});
