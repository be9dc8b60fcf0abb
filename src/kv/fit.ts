import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { PANEL } from '../linalg/panel-products.js';
import type { KvBasis } from './basis.js';
import { scaleRows, stageVectorsSteps } from './codec.js';

/**
 * The step of the best uniform quantiser of a gaussian of variance 1 with 1 … 8 bits (Max 1960, table
 * II; from 6 bits on by the same condition).
 */
const GAUSSIAN_STEPS: readonly number[] = [
  1, 1.596, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308,
];
/** Steps come in sixteenths of an octave: half of that costs 0.05 % of the squared error. */
const PER_OCTAVE = 16;
/** 2^(i / 16) by square roots, which all engines round alike. */
const FRACTIONS = Array.from({ length: PER_OCTAVE }, (_, i) => {
  let product = 1;
  for (let root = Math.SQRT2, bit = PER_OCTAVE / 2; bit >= 1; bit /= 2, root = Math.sqrt(root)) {
    if (i & bit) product *= root;
  }
  return product;
});
/** What a step is tried at, about the one of a gaussian: real coefficients have heavier tails. */
const TRIED = [-12, -8, -4, 0, 4, 8, 12, 16];

/** Coefficients of some tokens: rows of `rank` numbers. */
export interface Sample {
  readonly coefficients: Float32Array;
  readonly rank: number;
}

/** The step of a component of this variance in the training data. */
export function stepOf(variance: number, width: number, exponent: number): number {
  const deviation = Math.sqrt(Math.max(variance, Number.MIN_VALUE ** 0.5));
  const octave = Math.floor(exponent / PER_OCTAVE);
  const within = FRACTIONS[exponent - octave * PER_OCTAVE]!;
  return deviation * GAUSSIAN_STEPS[width]! * 2 ** octave * within;
}

/** All coefficients of `count` tokens; `fill` gives the numbers of one, as they are in the cache. */
export function* sampleSteps(
  kernels: Kernels,
  basis: KvBasis,
  count: number,
  fill: (index: number, row: Float32Array) => void,
): Steps<Sample> {
  const { dimensions: d, rank } = basis;
  const stride = alignUp(rank, PANEL);
  const mark = kernels.mark();
  const matrix = kernels.alloc(d * stride * 4);
  const rows = kernels.alloc(count * d * 4);
  const products = kernels.alloc(count * stride * 4);
  const whole = yield* stageVectorsSteps(kernels, basis, 0, d);
  kernels.call.packPanels(whole, d, rank, rank, matrix);
  const block = kernels.f32(rows, count * d);
  for (let i = 0; i < count; i++) fill(i, block.subarray(i * d, (i + 1) * d));
  scaleRows(block, basis);
  yield;
  for (let first = 0; first < count; first += 64) {
    const size = Math.min(64, count - first);
    const [from, to] = [rows + first * d * 4, products + first * stride * 4];
    kernels.call.multiplyPanels(from, d, size, d, matrix, stride / PANEL, to, stride);
    yield;
  }
  const found = kernels.f32(products, count * stride);
  const coefficients = new Float32Array(count * rank);
  for (let i = 0; i < count; i++) {
    coefficients.set(found.subarray(i * stride, i * stride + rank), i * rank);
  }
  kernels.release(mark);
  return { coefficients, rank };
}

/** Mean squares of the coefficients. */
export function secondMoments({ coefficients, rank }: Sample): Float64Array {
  const sums = new Float64Array(rank);
  for (let from = 0; from < coefficients.length; from += rank) {
    for (let j = 0; j < rank; j++) {
      const x = coefficients[from + j]!;
      sums[j] = sums[j]! + x * x;
    }
  }
  return sums.map((sum) => (sum * rank) / coefficients.length);
}

/** The exponents of the steps with the least squared error on a sample. */
export function fitExponents(basis: KvBasis, widths: Uint8Array, sample: Sample): Int8Array {
  const { coefficients, rank } = sample;
  const column = new Float32Array(coefficients.length / rank);
  const energies = secondMoments(sample);
  return Int8Array.from(widths, (width, j) => {
    if (width === 0) return 0;
    const variance = basis.variances[j]!;
    const ratio = energies[j]! / Math.max(variance, Number.MIN_VALUE ** 0.5);
    const usual = Math.round(0.5 * PER_OCTAVE * Math.log2(Math.max(ratio, 2 ** -14)));
    for (let i = 0; i < column.length; i++) column[i] = coefficients[i * rank + j]!;
    let best = { exponent: 0, error: Infinity };
    for (const tried of TRIED) {
      const exponent = Math.max(-127, Math.min(127, usual + tried));
      const error = quantisationError(column, stepOf(variance, width, exponent), width);
      if (error < best.error) best = { exponent, error };
    }
    return best.exponent;
  });
}

function quantisationError(numbers: Float32Array, step: number, width: number): number {
  const top = 2 ** width - 1;
  const middle = top / 2;
  const inverse = 1 / step;
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]! * inverse + middle;
    const code = x > 0 ? Math.min(top, Math.floor(x + 0.5)) : 0;
    // x ** 2 is several times slower.
    sum += (x - code) * (x - code);
  }
  return sum * step * step;
}
