import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, toJson } from '../../../../src/server/dashboard/page/json.js';

/** Browsers have had it for years; Node from 21 on. */
const isExact = 'rawJSON' in JSON;

test('what is JSON comes through as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(toJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
    { seed: 3 },
  );
});

describe.skipIf(!isExact)('where the engine gives the text of numbers', () => {
  test('whole numbers of 64 bits come through exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (id) => {
        const text = `{"id":${id}}`;
        expect(toJson(parseJson(text))).toBe(text);
      }),
      { seed: 4 },
    );
  });
});
