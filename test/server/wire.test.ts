import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortestFloat32, wireVector } from '../../src/server/wire/float-text.js';
import { parseJson, toJson } from '../../src/server/wire/json.js';
import { parseMsgpack, toMsgpack } from '../../src/server/wire/msgpack.js';

const parse = (text: string) => parseJson(Buffer.from(text));

describe('JSON', () => {
  test('is what the engine makes of it, where no number is long', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // A long whole number is exact here, and rounded there.
        fc.pre(!/\d{16,}/.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { seed: 1 },
    );
  });

  test('whole numbers of 64 bits are exact both ways', () => {
    const places = fc.constantFrom('[%]', '{"id":%}', '{"a":[1,%]}', ' %', '{"a": [ 0.5,\n%\t] }');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), places, (id, place) => {
        const text = place.replace('%', String(id));
        const value = parse(text);
        const found = JSON.stringify(value, (_, x) => (typeof x === 'bigint' ? `${x}` : x));
        expect(found).toContain(String(id));
        expect(toJson(value)).toBe(text.replaceAll(/\s/g, ''));
      }),
      { seed: 2 },
    );
  });

  test('numbers within 2^53 stay numbers, fractions too', () => {
    expect(parse('[9007199254740991, 0.12345678901234566, 1e400, 12345678901234566.5]')).toEqual([
      2 ** 53 - 1,
      0.12345678901234566,
      Number.POSITIVE_INFINITY,
      12345678901234566,
    ]);
    expect(parse('[9007199254740993]')).toEqual([9007199254740993n]);
    expect(parse('["9007199254740993", 9007199254740993]')).toEqual([
      '9007199254740993',
      9007199254740993n,
    ]);
  });

  test('a name that occurs twice means the last, in both parsers', () => {
    expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 });
    expect(parse('{"a":1,"a":18446744073709551615}')).toEqual({ a: 2n ** 64n - 1n });
  });

  test.each([
    '',
    '{',
    '[1,]',
    '18446744073709551615x',
    '[18446744073709551615',
  ])('%j is refused', (text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  test('bytes that are no UTF-8 are refused', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(SyntaxError);
  });
});

describe('float32 as text', () => {
  test('is read back as the same float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.fround(shortestFloat32(x))).toBe(x);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  test('has no more digits than it needs', () => {
    const digits = (x: number) =>
      Math.abs(x)
        .toExponential()
        .replace(/e.*|\./g, '').length;
    const needed = (x: number) => {
      for (let count = 1; ; count++)
        if (Math.fround(Number(x.toPrecision(count))) === x) return count;
    };
    fc.assert(
      fc.property(
        fc.float({ min: Math.fround(0.001), max: Math.fround(0.999), noNaN: true }),
        (x) => {
          fc.pre(!Number.isInteger(x * 64));
          expect(digits(shortestFloat32(x))).toBe(needed(x));
        },
      ),
      { seed: 3, numRuns: 1000 },
    );
  });

  test('numbers with few digits come back as they were written', () => {
    const written = [0.05, 0.61, 0.76, 0.1, -2.71827, 1e-20, 123456, 0];
    expect(JSON.parse(toJson(wireVector(Float32Array.from(written))))).toEqual(written);
  });
});

describe('msgpack', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  );

  test('values come back as they went in, ids of any size too', () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('node')),
        fc.dictionary(fc.string(), tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(value, (given) => {
        fc.pre(
          !JSON.stringify(given, (_, x) => (typeof x === 'bigint' ? 0 : x)).includes('"__proto__"'),
        );
        expect(parseMsgpack(toMsgpack(given))).toEqual(given);
      }),
      { seed: 4 },
    );
  });

  test('long ids are whole numbers for others too', () => {
    const read = decode(toMsgpack({ id: 2 ** 40 }), { useBigInt64: true });
    expect(read).toEqual({ id: 2n ** 40n });
  });

  test('a vector is its float32 bytes', () => {
    const vector = Float32Array.of(0.1, -2, 3e9);
    const read = decode(toMsgpack({ vector: wireVector(vector) })) as { vector: Uint8Array };
    expect(new Float32Array(Uint8Array.from(read.vector).buffer)).toEqual(vector);
  });

  test('more items than there are bytes, and what is too deep, is refused', () => {
    expect(() => parseMsgpack(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff))).toThrow();
    let deep: unknown = 1;
    for (let i = 0; i < 40; i++) deep = [deep];
    expect(() => parseMsgpack(encode(deep, { maxDepth: 100 }))).toThrow();
  });
});
