import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changePayload, checkChange, type PayloadChange } from '../../src/filter/change-payload.js';
import type { Payload } from '../../src/filter/types.js';
import { errorOf } from '../datasets/support.js';
import { anyPayload, FIELDS } from './support.js';

const set = (payload: Payload, path?: string): PayloadChange =>
  path === undefined ? { kind: 'set', payload } : { kind: 'set', payload, path };
const remove = (...paths: string[]): PayloadChange => ({ kind: 'delete', paths });

describe('a change of a payload', () => {
  test.each<[Payload | null, PayloadChange, Payload | null]>([
    [null, set({ a: 1 }), { a: 1 }],
    [{ a: { x: 1 }, b: 2 }, set({ a: { y: 1 } }), { a: { y: 1 }, b: 2 }],
    [{ a: 1, b: 2 }, set({ a: null }), { b: 2 }],
    [{ a: null, b: 1 }, set({ b: 2 }), { a: null, b: 2 }],
    [{ a: 1 }, set({ b: { c: null } }), { a: 1, b: { c: null } }],
    [null, set({ x: 1 }, 'a.b'), { a: { b: { x: 1 } } }],
    [{ a: { b: { y: 2 }, z: 1 } }, set({ x: 1 }, 'a.b'), { a: { b: { y: 2, x: 1 }, z: 1 } }],
    [{ a: 5 }, set({ x: 1 }, 'a'), { a: { x: 1 } }],
    [{ a: [{ y: 1 }, 5] }, set({ x: 1 }, 'a[]'), { a: [{ y: 1, x: 1 }, { x: 1 }] }],
    [{ a: [{ y: 1 }, 5] }, set({ x: 1 }, 'a[0]'), { a: [{ y: 1, x: 1 }, 5] }],
    [{ a: [1] }, set({ x: 1 }, 'a[7]'), { a: [1] }],
    [{ a: { b: 1 } }, set({ x: 1 }, 'a[]'), { a: [] }],
    [{ a: 1 }, { kind: 'overwrite', payload: { b: null } }, { b: null }],
    [{ a: 1 }, { kind: 'clear' }, null],
    [{ a: 1, b: { c: 2, d: 3 } }, remove('a', 'b.c', 'x.y'), { b: { d: 3 } }],
    [{ a: 1 }, remove('a'), {}],
    [null, remove('a'), null],
    [{ a: [{ b: 1, c: 2 }, { b: 3 }] }, remove('a[].b'), { a: [{ c: 2 }, {}] }],
    [{ a: [{ b: 1 }, { b: 3 }] }, remove('a[1].b'), { a: [{ b: 1 }, {}] }],
    [{ a: [1, 2] }, remove('a[]'), { a: [] }],
    [{ a: [1, 2] }, remove('a[0]'), { a: [1, 2] }],
    [{ a: 1 }, remove('toString'), { a: 1 }],
  ])('%j with %j is %j', (payload, change, expected) => {
    expect(changePayload(payload, change)).toEqual(expected);
  });

  const anyChange = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), payload: anyPayload.map((p) => p ?? {}) }),
    fc.record({
      kind: fc.constant('set' as const),
      payload: anyPayload.map((p) => p ?? {}),
      path: fc.constantFrom(...FIELDS),
    }),
    fc.record({ kind: fc.constant('overwrite' as const), payload: anyPayload.map((p) => p ?? {}) }),
    fc.record({
      kind: fc.constant('delete' as const),
      paths: fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }),
    }),
  );

  test('leaves what it is given as it was, and done twice does nothing more', () => {
    fc.assert(
      fc.property(anyPayload, anyChange, (payload, change) => {
        const before = JSON.stringify([payload, change]);
        const once = changePayload(payload, change);
        expect(JSON.stringify([payload, change])).toBe(before);
        expect(changePayload(once, change)).toEqual(once);
        expect(checkChange(change)).toEqual(JSON.parse(JSON.stringify(change)));
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  test('keeps the key __proto__ a key', () => {
    const odd: Payload = JSON.parse('{"__proto__": {"a": 1}}');
    const changed = changePayload(odd, set({ b: 2 }, '__proto__'));
    expect(JSON.stringify(changed)).toBe('{"__proto__":{"a":1,"b":2}}');
    expect(JSON.stringify(changePayload({}, set(odd)))).toBe('{"__proto__":{"a":1}}');
    expect(JSON.stringify(changePayload(changed, remove('__proto__')))).toBe('{}');
    expect(Object.prototype).not.toHaveProperty('b');
  });
});

describe('what is checked of a change', () => {
  test('its payload is copied', () => {
    const payload: Payload = { a: [1] };
    const checked = checkChange({ kind: 'set', payload });
    (payload.a as number[]).push(2);
    expect(checked).toEqual({ kind: 'set', payload: { a: [1] } });
  });

  test.each<[unknown, string]>([
    [null, 'the change of a payload must be an object'],
    [{ kind: 'merge' }, 'the kind of change must be set or overwrite'],
    [{ kind: 'set', payload: null }, 'payload must be an object'],
    [{ kind: 'set', payload: { a: Number.NaN } }, 'payload.a must be a finite number'],
    [{ kind: 'set', payload: {}, path: 'a..b' }, 'path must be a path'],
    [{ kind: 'overwrite', payload: {}, path: 'a' }, 'an option of the change of a payload'],
    [{ kind: 'delete', paths: 'a' }, 'paths must be a list'],
    [{ kind: 'delete', paths: ['a', ''] }, 'paths[1] must be a path'],
    [{ kind: 'clear', paths: [] }, 'an option of the change of a payload'],
  ])('%j is refused', (change, message) => {
    expect(errorOf(() => checkChange(change))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });
});
