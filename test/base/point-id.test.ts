import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPointId, idOfKey, keyOfId, type PointId } from '../../src/base/point-id.js';

const anyId = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.maxSafeNat(),
  fc.uuid(),
  fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
);

/** The order that keys must have, from the ids alone. */
function orderOf(a: PointId, b: PointId): number {
  const rank = (id: PointId) => (typeof id !== 'string' ? 0 : isUuid(id) ? 1 : 2);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) === 0) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
}

const isUuid = (id: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

describe('ids of points', () => {
  test.each<[unknown, PointId]>([
    [0, 0],
    [-0, 0],
    [7n, 7],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [2n ** 53n, 2n ** 53n],
    [2n ** 63n, 2n ** 63n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
    ['1', '1'],
    ['936da01f-9abd-4d9d-80c7-02af85c822a8', '936da01f-9abd-4d9d-80c7-02af85c822a8'],
    ['936DA01F-9ABD-4D9D-80C7-02AF85C822A8', '936DA01F-9ABD-4D9D-80C7-02AF85C822A8'],
  ])('%s is the id %s, also by way of its key', (value, id) => {
    const checked = checkPointId('id', value);
    expect(checked).toBe(id);
    expect(idOfKey(keyOfId(checked))).toBe(id);
  });

  test.each([
    [-1, RangeError],
    [1.5, RangeError],
    [2 ** 53, RangeError],
    [Number.NaN, RangeError],
    [-1n, RangeError],
    [2n ** 64n, RangeError],
    ['', RangeError],
    ['\ud800', RangeError],
    ['x'.repeat(1025), RangeError],
    ['é'.repeat(513), RangeError],
    [null, TypeError],
    [undefined, TypeError],
    [true, TypeError],
    [{}, TypeError],
  ])('%s is none', (value, type) => {
    expect(() => checkPointId('id', value)).toThrow(type);
    expect(() => checkPointId('id', value)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  test('keys give the ids back, and are ordered as integers, UUIDs, strings', () => {
    fc.assert(
      fc.property(anyId, anyId, (first, second) => {
        const [a, b] = [checkPointId('id', first), checkPointId('id', second)];
        expect(idOfKey(keyOfId(a))).toBe(a);
        const order = Math.sign(Buffer.compare(keyOfId(a), keyOfId(b)));
        expect(order).toBe(Math.sign(orderOf(a, b)));
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  test.each([
    [[]],
    [[1]],
    [[1, 0, 0, 0, 0, 0, 0, 0]],
    [[2, 0]],
    [[3]],
    [[3, 0xff]],
    [[4, 1]],
  ])('the bytes %j are no key', (bytes) => {
    expect(idOfKey(Uint8Array.from(bytes))).toBeUndefined();
  });
});
