import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPayload } from '../../src/filter/payload.js';
import { errorOf } from '../datasets/support.js';

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = { x: value };
  return value;
};

describe('a payload', () => {
  test('none is null', () => {
    expect(checkPayload('payload', null)).toBeNull();
    expect(checkPayload('payload', undefined)).toBeNull();
  });

  test('comes out of its text as it was', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: false });
    fc.assert(
      fc.property(objects, (payload) => {
        const text = checkPayload('payload', payload)!;
        expect(text).toBe(JSON.stringify(payload));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test.each<[string, unknown, string]>([
    ['an undefined member', { a: { b: undefined } }, 'payload.a.b must be a JSON value'],
    ['NaN', { a: [0, Number.NaN] }, 'payload.a[1] must be a finite number'],
    ['an infinity', { a: -Infinity }, 'payload.a must be a finite number'],
    ['a bigint', { a: 1n }, 'payload.a must be a JSON value'],
    ['a function', { a: () => 1 }, 'payload.a must be a JSON value'],
    ['a method toJSON', { toJSON: () => ({}) }, 'payload.toJSON must be a JSON value'],
    ['a symbol', { a: Symbol.iterator }, 'payload.a must be a JSON value'],
    ['a date', { a: new Date(0) }, 'toISOString()'],
    ['a map', { a: new Map() }, 'payload.a must be a plain object'],
    ['a typed array', { a: new Float32Array(2) }, 'payload.a must be a plain object'],
    ['a hole in a list', { a: new Array(1) }, 'payload.a[0] must be a JSON value'],
    ['a class', new (class X {})(), 'payload must be a plain object'],
    ['a list', [1], 'payload must be an object'],
    ['a string', '{}', 'payload must be an object'],
  ])('refuses %s', (_, value, message) => {
    expect(errorOf(() => checkPayload('payload', value))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  test('goes up to 64 levels deep, and is no cycle', () => {
    expect(checkPayload('payload', nested(64))).not.toBeNull();
    expect(() => checkPayload('payload', nested(65))).toThrow(/at most 64 levels/);
    const cycle: Record<string, unknown> = {};
    cycle.self = [cycle];
    expect(() => checkPayload('payload', cycle)).toThrow(RangeError);
  });

  test('that would be endless because it repeats itself is refused', () => {
    let value: unknown = 1;
    for (let i = 0; i < 40; i++) value = { x: value, y: value };
    expect(() => checkPayload('payload', value)).toThrow(/at most 1000000 values/);
  });

  test('may have the key __proto__', () => {
    const odd = JSON.parse('{"__proto__": {"a": 1}, "b": 2}');
    expect(checkPayload('payload', odd)).toBe('{"__proto__":{"a":1},"b":2}');
    expect(() => checkPayload('payload', JSON.parse('{"__proto__": 1e999}'))).toThrow(RangeError);
  });
});
