import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { type LvqVector, parseLvqRecord } from '../../src/kernels/scalar/lvq.js';
import { unpackCodes } from '../../src/kernels/scalar/pack.js';
import { Lvq, type LvqBits } from '../../src/quant/lvq.js';

const WIDTHS: readonly LvqBits[] = [2, 3, 4, 8];
const LEVELS: readonly [LvqBits, LvqBits | undefined][] = WIDTHS.flatMap((bits) => [
  [bits, undefined] as [LvqBits, undefined],
  ...WIDTHS.map((residualBits): [LvqBits, LvqBits] => [bits, residualBits]),
]);
const FLOAT32_EPSILON = 2 ** -24;

function lvqOf(
  dimensions: number,
  bits: LvqBits,
  residualBits: LvqBits | undefined,
  training = new Float32Array(0),
): Lvq {
  const options = residualBits === undefined ? {} : { residualBits };
  return Lvq.train(training, { dimensions, bits, ...options });
}

/** The record of the only vector. */
function recordOf(lvq: Lvq, x: Float32Array): LvqVector {
  return parseLvqRecord(lvq.encode(x).records, lvq.dimensions, lvq.bits);
}

/**
 * |x − x̂| ≤ half a step (times 1.003 for constants in binary16). The codes are held to it in exact
 * arithmetic; decoding rounds to float32 three times more, at the size of the bias.
 */
function expectBound(x: Float32Array, bits: LvqBits, residualBits: LvqBits | undefined): void {
  const lvq = lvqOf(x.length, bits, residualBits);
  const codes = lvq.encode(x);
  const { scale, bias, codes: first } = parseLvqRecord(codes.records, x.length, bits);
  const residual = residualBits && unpackCodes(codes.residuals, x.length, residualBits);
  const step = residualBits === undefined ? scale : scale / (2 ** residualBits - 1);
  const rounding = 4 * FLOAT32_EPSILON * (Math.abs(bias) + scale * 2 ** bits);
  const decoded = lvq.decode(codes);
  for (let j = 0; j < x.length; j++) {
    const coarse = scale * first[j]! + bias;
    const exact = residual ? coarse - scale / 2 + residual[j]! * step : coarse;
    // The residual is taken from the decoded float32, so its own rounding enters here.
    const slack = residual ? rounding : 0;
    const error = Math.abs(x[j]! - exact);
    if (error > (step / 2) * 1.003 + slack) expect.fail(`exact: off by ${error}, step ${step}`);
    expect(Math.abs(x[j]! - decoded[j]!)).toBeLessThanOrEqual((step / 2) * 1.003 + rounding);
  }
}

/** Vectors of any size and offset that the documented range allows. */
const vectors = fc
  .record({
    n: fc.integer({ min: 1, max: 130 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    exponent: fc.integer({ min: -4, max: 3 }),
    offset: fc.double({ min: -30, max: 30, noNaN: true }),
  })
  .map(({ n, seed, exponent, offset }) => {
    const random = new Random(seed);
    const size = 10 ** exponent;
    return Float32Array.from({ length: n }, () => size * (random.gaussian() + offset));
  });

/** Arbitrary arrays: ties, zeros, subnormals and all. */
const arrays = fc
  .float32Array({ minLength: 1, maxLength: 70, noNaN: true, min: -60_000, max: 60_000 })
  .map((array) => Float32Array.from(array));

describe('the error bound', () => {
  test.each(LEVELS)('%s bits and %s: gaussian vectors of any size and offset', (bits, residual) => {
    fc.assert(
      fc.property(vectors, (x) => expectBound(x, bits, residual)),
      { numRuns: 60, seed: 1 },
    );
  });

  test.each(LEVELS)('%s bits and %s: arbitrary vectors', (bits, residual) => {
    fc.assert(
      fc.property(arrays, (x) => expectBound(x, bits, residual)),
      { numRuns: 60, seed: 2 },
    );
  });

  test.each(LEVELS)('%s bits and %s: uncentred vectors, |l| far above u − l', (bits, residual) => {
    const random = new Random(3);
    for (const offset of [50, -300, 2000, -9000, 30_000]) {
      for (const range of [0.05, 1, 20]) {
        const x = Float32Array.from({ length: 100 }, () => offset + range * random.uniform());
        expectBound(x, bits, residual);
      }
    }
  });

  test('rounding to nearest would clip such vectors: the constants are rounded outwards', () => {
    // binary16 has a step of 8 about 10,000; the range is 2, so the nearest bias is above it all.
    const x = Float32Array.from({ length: 64 }, (_, i) => 9996.5 - (i / 64) * 2);
    const { scale, bias, codes } = recordOf(lvqOf(64, 8, undefined), x);
    expect(bias).toBe(9992);
    expect(bias + 255 * scale).toBeGreaterThanOrEqual(9996.5);
    expect(scale).toBeLessThan(0.02);
    expect(new Set(codes).size).toBeGreaterThan(60);
  });
});

describe('the fast formulas', () => {
  const dimensions = 100;
  const random = new Random(5);
  const count = 60;
  const rows = Float32Array.from(
    { length: count * dimensions },
    (_, i) => 0.4 + 0.2 * (i % dimensions) * 0.01 + random.gaussian(),
  );
  const query = Float32Array.from({ length: dimensions }, () => 0.3 + random.gaussian());

  test.each(LEVELS)('%s bits and %s: inner products equal decode-then-dot', (bits, residual) => {
    const lvq = lvqOf(dimensions, bits, residual, rows);
    const codes = lvq.encode(rows);
    const decoded = lvq.decode(codes);
    lvq.dot(query, codes).forEach((fast, r) => {
      const row = decoded.subarray(r * dimensions, (r + 1) * dimensions);
      const error = Math.abs(fast - dot(query, row));
      expect(error).toBeLessThanOrEqual(1e-6 * norm(query) * norm(row));
    });
  });

  test.each(LEVELS)('%s bits and %s: distances equal decode-then-distance', (bits, residual) => {
    const lvq = lvqOf(dimensions, bits, residual, rows);
    const codes = lvq.encode(rows);
    const decoded = lvq.decode(codes);
    lvq.squaredDistances(query, codes).forEach((fast, r) => {
      const exact = squaredL2(query, decoded.subarray(r * dimensions, (r + 1) * dimensions));
      expect(Math.abs(fast - exact)).toBeLessThanOrEqual(1e-5 * exact);
    });
  });

  test('units other than 1 give the same', () => {
    const small = rows.map((x) => x * 1e-6);
    const lvq = lvqOf(dimensions, 8, 4, small);
    expect(lvq.unit).toBeLessThan(1e-5);
    const codes = lvq.encode(small);
    const decoded = lvq.decode(codes);
    const [dots, distances] = [lvq.dot(query, codes), lvq.squaredDistances(query, codes)];
    for (let r = 0; r < count; r++) {
      const row = decoded.subarray(r * dimensions, (r + 1) * dimensions);
      expect(Math.abs(dots[r]! - dot(query, row))).toBeLessThan(1e-6 * norm(query) * norm(row));
      expect(distances[r]! / squaredL2(query, row)).toBeCloseTo(1, 4);
    }
  });

  test.each(
    LEVELS.filter(([, residual]) => residual),
  )('%s bits and %s: the fused code is the two-level vector', (bits, residualBits) => {
    const lvq = lvqOf(dimensions, bits, residualBits);
    const x = rows.subarray(0, dimensions);
    const codes = lvq.encode(x);
    const { scale, bias, codes: first } = parseLvqRecord(codes.records, dimensions, bits);
    const residual = unpackCodes(codes.residuals, dimensions, residualBits!);
    const steps = 2 ** residualBits! - 1;
    lvq.decode(codes).forEach((value, j) => {
      const fused = (steps * first[j]! + residual[j]!) * (scale / steps) + (bias - scale / 2);
      expect(Math.abs(value - fused)).toBeLessThan(1e-6 * (1 + Math.abs(value)));
    });
  });
});
