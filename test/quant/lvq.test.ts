import { describe, expect, test } from 'vitest';
import type { CodedError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { parseLvqRecord } from '../../src/kernels/scalar/lvq.js';
import { unpackCodes } from '../../src/kernels/scalar/pack.js';
import { Lvq, type LvqBits, type LvqCodes } from '../../src/quant/lvq.js';

const NONE = new Float32Array(0);

function gaussianRows(seed: number, count: number, dimensions: number, mean = 0, deviation = 1) {
  const random = new Random(seed);
  return Float32Array.from(
    { length: count * dimensions },
    () => mean + deviation * random.gaussian(),
  );
}

function maxError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

function thrownBy(run: () => unknown): CodedError {
  try {
    run();
  } catch (error) {
    return error as CodedError;
  }
  throw new Error('nothing was thrown');
}

describe('the worked example', () => {
  const x = Float32Array.of(0.5, -0.25, 0.125, 1, -1, 0.75, 0, -0.625);
  // With its mirror image in the mean, every dimension's mean is 0.125.
  const training = Float32Array.from([...x, ...x.map((value) => 0.25 - value)]);
  const query = Float32Array.from({ length: 8 }, (_, j) => (j + 1) / 8);

  function encode(bits: LvqBits, residualBits?: LvqBits): { lvq: Lvq; codes: LvqCodes } {
    const options = residualBits === undefined ? {} : { residualBits };
    const lvq = Lvq.train(training, { dimensions: 8, bits, ...options });
    expect([...lvq.means]).toEqual(new Array(8).fill(0.125));
    expect(lvq.unit).toBe(1);
    return { lvq, codes: lvq.encode(x) };
  }

  test('4 bits', () => {
    const { lvq, codes } = encode(4);
    const record = parseLvqRecord(codes.records, 8, 4);
    expect(record.bias).toBe(-1.125);
    expect(record.scale).toBe(0.13330078125);
    expect([...record.codes]).toEqual([11, 6, 8, 15, 0, 13, 8, 3]);
    expect(maxError(lvq.decode(codes), x)).toBe(0.06640625);
    expect(lvq.dot(query, codes)[0]).toBe(-0.08441162109375);
  });

  test('8 bits', () => {
    const { lvq, codes } = encode(8);
    const record = parseLvqRecord(codes.records, 8, 8);
    expect(record.bias).toBe(-1.125);
    expect(record.scale).toBe(0.007843017578125);
    expect([...record.codes]).toEqual([191, 96, 143, 255, 0, 223, 128, 48]);
    expect(maxError(lvq.decode(codes), x)).toBe(0.00390625);
    expect(lvq.dot(query, codes)[0]).toBe(-0.13732147216796875);
  });

  test('residual codes of 4 and 8 bits on top of 4', () => {
    const four = encode(4, 4).codes.residuals;
    expect([...unpackCodes(four, 8, 4)]).toEqual([11, 2, 14, 8, 7, 9, 0, 5]);
    const eight = encode(4, 8).codes.residuals;
    expect([...unpackCodes(eight, 8, 8)]).toEqual([192, 32, 240, 128, 128, 160, 0, 80]);
  });

  test('both levels err by at most half a step of the finer grid', () => {
    for (const residualBits of [2, 4, 8] as const) {
      const { lvq, codes } = encode(4, residualBits);
      const bound = 0.13330078125 / (2 * (2 ** residualBits - 1));
      expect(maxError(lvq.decode(codes), x)).toBeLessThanOrEqual(bound * 1.003);
    }
  });
});

describe('record sizes with padding 32', () => {
  test.each([
    [4, 96, 64],
    [4, 128, 96],
    [4, 384, 224],
    [4, 768, 416],
    [4, 1536, 800],
    [8, 96, 128],
    [8, 128, 160],
    [8, 384, 416],
    [8, 768, 800],
    [8, 1536, 1568],
  ] as const)('%s bits x %s dimensions: %s bytes', (bits, dimensions, bytes) => {
    const lvq = Lvq.train(NONE, { dimensions, bits });
    expect(lvq.recordBytes).toBe(bytes);
    expect(lvq.residualBytes).toBe(0);
    expect(lvq.encode(new Float32Array(3 * dimensions)).records.length).toBe(3 * bytes);
  });

  test('other paddings, and residuals without constants', () => {
    const lvq = (padding: number) =>
      Lvq.train(NONE, { dimensions: 96, bits: 8, residualBits: 4, padding });
    expect(lvq(1).recordBytes).toBe(101);
    expect(lvq(64).recordBytes).toBe(128);
    expect(lvq(1).residualBytes).toBe(48);
  });
});

describe('statistics', () => {
  test.each([
    2, 3, 4, 8,
  ] as const)('%s bits: RMS error is a step / √12 on continuous data', (bits) => {
    const dimensions = 256;
    const random = new Random(bits);
    const count = 200;
    // Uniform data fill every cell of the grid evenly, also the few of two bits.
    const x = Float32Array.from({ length: count * dimensions }, () => random.uniform() - 0.5);
    const lvq = Lvq.train(NONE, { dimensions, bits });
    const codes = lvq.encode(x);
    const decoded = lvq.decode(codes);
    let squares = 0;
    for (let r = 0; r < count; r++) {
      const record = codes.records.subarray(r * lvq.recordBytes, (r + 1) * lvq.recordBytes);
      const { scale } = parseLvqRecord(record, dimensions, bits);
      for (let j = r * dimensions; j < (r + 1) * dimensions; j++) {
        squares += ((x[j]! - decoded[j]!) / (scale * lvq.unit)) ** 2;
      }
    }
    const rms = Math.sqrt(squares / x.length);
    expect(Math.abs(rms * Math.sqrt(12) - 1)).toBeLessThan(0.02);
  });
});

describe('training', () => {
  test('the mean is taken in float64', () => {
    const lvq = Lvq.train(Float32Array.of(1, 10, 2, 20, 6, 60), { dimensions: 2 });
    expect([...lvq.means]).toEqual([3, 30]);
  });

  test('no vectors at all give mean 0: vectors are coded as they are', () => {
    const lvq = Lvq.train(NONE, { dimensions: 3, bits: 8 });
    expect([...lvq.means]).toEqual([0, 0, 0]);
    expect(lvq.unit).toBe(1);
    expect(parseLvqRecord(lvq.encode(Float32Array.of(4, 5, 6)).records, 3, 8).bias).toBe(4);
  });

  test.each([
    ['far from 0', 100, 0.001],
    ['near one unit vector', 0.036, 0.0005],
    ['slightly spread', 1, 0.004],
    ['tiny', 0, 1e-20],
    ['huge', 1e20, 1e18],
  ])('data %s are coded on their own scale', (_name, mean, deviation) => {
    const x = gaussianRows(1, 100, 64, mean, deviation);
    for (const bits of [4, 8] as const) {
      const lvq = Lvq.train(x, { dimensions: 64, bits });
      const decoded = lvq.decode(lvq.encode(x));
      const squares = x.reduce((sum, value, i) => sum + (value - decoded[i]!) ** 2, 0);
      const rms = Math.sqrt(squares / x.length) / deviation;
      expect(rms).toBeLessThan(bits === 4 ? 0.1 : 0.01);
    }
  });

  test('vectors of 60 times the usual size are coded even where the training ones are alike', () => {
    const lvq = Lvq.train(new Float32Array(40).fill(3), { dimensions: 4, bits: 8 });
    const far = Float32Array.of(180, -180, 0, 90);
    expect(maxError(lvq.decode(lvq.encode(far)), far)).toBeLessThan(1);
  });
});

describe('constant vectors', () => {
  const values = [0, 1, -1, 0.1, Math.PI, -1234.5, 1e-5, 60_000];

  test('decode to themselves up to the rounding of the bias to binary16', () => {
    const lvq = Lvq.train(NONE, { dimensions: 20, bits: 8 });
    for (const value of values) {
      const x = new Float32Array(20).fill(value);
      // Half a step of binary16: relative to the number, 2^-25 where it is subnormal.
      const bound = Math.max(Math.abs(x[0]!) / 2048, 2 ** -25);
      expect(maxError(lvq.decode(lvq.encode(x)), x)).toBeLessThanOrEqual(bound);
    }
  });

  test('a second level, whose grid does not hold 0, errs by up to half a step of it', () => {
    for (const residualBits of [2, 4, 8] as const) {
      const lvq = Lvq.train(NONE, { dimensions: 20, bits: 8, residualBits });
      for (const value of values) {
        const x = new Float32Array(20).fill(value);
        const codes = lvq.encode(x);
        const { scale } = parseLvqRecord(codes.records, 20, 8);
        const bound = scale / (2 * (2 ** residualBits - 1)) + Math.abs(value) * 2 ** -22;
        expect(maxError(lvq.decode(codes), x)).toBeLessThanOrEqual(bound * 1.003);
      }
    }
  });

  test('that binary16 holds decode exactly', () => {
    const lvq = Lvq.train(NONE, { dimensions: 20, bits: 8 });
    for (const value of [0, 0.5, -1.25, 1024]) {
      const x = new Float32Array(20).fill(value);
      expect([...lvq.decode(lvq.encode(x))]).toEqual([...x]);
    }
  });
});

describe('refusals', () => {
  test.each([NaN, Infinity, -Infinity])('%s in training and in vectors: row and column', (bad) => {
    const x = gaussianRows(1, 5, 7);
    const lvq = Lvq.train(x, { dimensions: 7 });
    x[3 * 7 + 4] = bad;
    for (const run of [() => Lvq.train(x, { dimensions: 7 }), () => lvq.encode(x)]) {
      const error = thrownBy(run);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('vectors at row 3, column 4');
      expect(error.message).toContain(String(bad));
    }
  });

  test('vectors far beyond the trained are refused with their row', () => {
    const lvq = Lvq.train(gaussianRows(2, 50, 8), { dimensions: 8 });
    const far = new Float32Array(24);
    far[17] = -1e9;
    const error = thrownBy(() => lvq.encode(far));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain('vectors at row 2');
  });

  test('wrong lengths and options', () => {
    const lvq = Lvq.train(NONE, { dimensions: 4 });
    expect(thrownBy(() => lvq.encode(new Float32Array(7))).code).toBe('DIMENSION_MISMATCH');
    expect(thrownBy(() => lvq.encode([1, 2, 3, 4] as never))).toBeInstanceOf(TypeError);
    const codes = lvq.encode(new Float32Array(4));
    expect(thrownBy(() => lvq.dot(new Float32Array(3), codes)).code).toBe('DIMENSION_MISMATCH');
    for (const options of [
      { dimensions: 0 },
      { dimensions: 1.5 },
      { dimensions: 4, bits: 5 },
      { dimensions: 4, residualBits: 7 },
      { dimensions: 4, padding: 0 },
      { dimensions: 4, bit: 8 },
    ]) {
      expect(thrownBy(() => Lvq.train(NONE, options as never)).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('codes of another codec', () => {
  test('are refused, and so is a query that is not finite', () => {
    const x = Float32Array.from({ length: 5 * 20 }, (_, i) => Math.sin(i));
    const eight = Lvq.train(x, { dimensions: 20, bits: 8 });
    const four = Lvq.train(x, { dimensions: 20, bits: 4, residualBits: 4 });
    const mismatch = expect.objectContaining({ code: 'DIMENSION_MISMATCH' });
    expect(() => four.decode(eight.encode(x))).toThrow(mismatch);
    expect(() => eight.dot(x.subarray(0, 20), { ...eight.encode(x), count: 7 })).toThrow(mismatch);
    const query = new Float32Array(20).fill(Number.NaN);
    expect(() => eight.dot(query, eight.encode(x))).toThrow(/row 0, column 0/);
    expect(() => eight.squaredDistances(query, eight.encode(x))).toThrow(RangeError);
  });
});

describe('bytes', () => {
  test('give the same codec back, for one level and two, and damage is refused', () => {
    const x = Float32Array.from({ length: 40 * 20 }, (_, i) => Math.sin(i) + 2);
    for (const levels of [{}, { residualBits: 8 as const }]) {
      const lvq = Lvq.train(x, { dimensions: 20, bits: 4, padding: 16, ...levels });
      const same = Lvq.fromBytes(lvq.toBytes());
      expect(same.encode(x)).toEqual(lvq.encode(x));
      expect(same.dot(x.subarray(0, 20), same.encode(x))).toEqual(
        lvq.dot(x.subarray(0, 20), lvq.encode(x)),
      );
      const altered = lvq.toBytes();
      altered[altered.length - 1]! ^= 1;
      expect(() => Lvq.fromBytes(altered)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    }
  });
});
