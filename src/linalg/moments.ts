import { checkFinite, checkInteger, checkRows } from '../base/check.js';
import { outOfRange, wrongDimension } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { accumulateSquareSteps, PANEL } from './panel-products.js';
import { powerOfTwoNear } from './scale.js';

/** Rows whose products one kernel call sums in float32. */
const BLOCK_ROWS = 256;
/** Rows of the covariance that a plain loop handles between two yields. */
const ROWS_PER_STEP = 32;
/** Deviations may exceed the scale by this factor: 256 of their squares stay within float32. */
const HEADROOM = 2 ** 40;
const DIMENSIONS_MAX = 16_384;

export interface Moments {
  readonly count: number;
  readonly mean: Float64Array;
  /** d × d, row-major, symmetric: the mean of (x − mean)(x − mean)ᵀ (divided by count). */
  readonly covariance: Float64Array;
}

export interface MomentAccumulator {
  /** Adds the first `count` rows of a block; yields about every millisecond. */
  addSteps(block: Float32Array, count: number): Steps<void>;
  /** addSteps without a pause. */
  add(block: Float32Array, count: number): void;
  /** The moments of all rows; ends the accumulator and gives its memory back. */
  finishSteps(): Steps<Moments>;
  /** finishSteps without a pause. */
  finish(): Moments;
}

/**
 * Mean and covariance of rows of d numbers, in one pass. Rows are taken relative to the mean of the
 * first block, so a mean far from zero costs no digits, and divided by a power of two, so that no
 * product leaves the range of float32. Products of up to 256 rows are summed in float32, these sums
 * in float64: an entry is within 256 · 2^-24 · √(c_ii c_jj) of the exact one, typically 1e-7, if
 * the first block's mean is typical of the rows.
 *
 * Takes 8 d² bytes of `kernels`, which hands out memory as a stack: what is allocated there after
 * this call must be given back before finish(), and nothing may be allocated while adding.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for wrong sizes, NaN and
 * infinity; finish() without any rows.
 */
export function createMoments(kernels: Kernels, d: number): MomentAccumulator {
  checkInteger('d', d, 1, DIMENSIONS_MAX);
  const mark = kernels.mark();
  const stride = alignUp(d, PANEL);
  const rows = kernels.alloc(BLOCK_ROWS * stride * 4);
  const packed = kernels.alloc(BLOCK_ROWS * stride * 4);
  const products = kernels.alloc(stride * stride * 8);
  const sums = new Float64Array(d);
  let shift: Float64Array | undefined;
  let scale = 0;
  let total = 0;

  function* addBlock(block: Float32Array, count: number): Steps<void> {
    checkFinite('the block', block.subarray(0, count * d), d);
    if (shift === undefined) {
      yield* eachRow(kernels, products, stride, (row) => row.fill(0));
      shift = columnMeans(block, count, d);
    }
    const largest = largestDeviation(block, count, shift);
    yield;
    if (largest > scale * HEADROOM) {
      const wider = powerOfTwoNear(largest);
      const factor = scale / wider;
      yield* eachRow(kernels, products, stride, (row) => scaleAll(row, factor * factor));
      scaleAll(sums, factor);
      scale = wider;
    }
    centre(block, count, shift, scale, kernels.f32(rows, BLOCK_ROWS * stride), stride, sums);
    kernels.call.packPanels(rows, count, stride, stride, packed);
    total += count;
    yield;
    yield* accumulateSquareSteps(kernels, packed, stride / PANEL, count, products, stride);
  }

  function* addSteps(block: Float32Array, count: number): Steps<void> {
    checkRows('block', block, d);
    checkInteger('count', count, 0, block.length / d);
    for (let first = 0; first < count; first += BLOCK_ROWS) {
      const size = Math.min(BLOCK_ROWS, count - first);
      yield* addBlock(block.subarray(first * d, (first + size) * d), size);
    }
  }

  function* finishSteps(): Steps<Moments> {
    if (total === 0) throw outOfRange('the number of rows', 'at least 1', 0);
    const offset = sums.map((sum) => sum / total);
    const covariance = new Float64Array(d * d);
    yield* eachRow(kernels, products, stride, (row, i) => {
      for (let j = i; j < d; j++) {
        const centred = row[j]! / total - offset[i]! * offset[j]!;
        covariance[i * d + j] = centred * scale * scale;
        covariance[j * d + i] = covariance[i * d + j]!;
      }
    });
    kernels.release(mark);
    return { count: total, mean: offset.map((x, i) => shift![i]! + x * scale), covariance };
  }

  return {
    addSteps,
    add: (block, count) => drain(addSteps(block, count)),
    finishSteps,
    finish: () => drain(finishSteps()),
  };
}

/** Mean and covariance of rows (n × d, n ≥ 1) at once; see createMoments. */
export function covariance(kernels: Kernels, rows: Float32Array, d: number): Moments {
  checkInteger('d', d, 1, DIMENSIONS_MAX);
  const count = checkRows('rows', rows, d);
  if (count === 0) throw wrongDimension('rows', `at least ${d}`, 0);
  const moments = createMoments(kernels, d);
  moments.add(rows, count);
  return moments.finish();
}

function columnMeans(block: Float32Array, count: number, d: number): Float64Array {
  const means = new Float64Array(d);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < d; j++) means[j] = means[j]! + block[i * d + j]!;
  }
  return means.map((sum) => sum / count);
}

function largestDeviation(block: Float32Array, count: number, shift: Float64Array): number {
  const d = shift.length;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < d; j++) {
      const deviation = Math.abs(block[i * d + j]! - shift[j]!);
      if (deviation > largest) largest = deviation;
    }
  }
  return largest;
}

/** Runs `use` for the rows of a square float64 matrix of n columns, some at a time. */
function* eachRow(
  kernels: Kernels,
  matrix: number,
  n: number,
  use: (row: Float64Array, index: number) => void,
): Steps<void> {
  for (let i = 0; i < n; i++) {
    use(kernels.f64(matrix + i * n * 8, n), i);
    if (i % ROWS_PER_STEP === 0) yield;
  }
}

function scaleAll(numbers: Float64Array, factor: number): void {
  for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! * factor;
}

/** rows ← (block − shift) / scale, and the sums of these. A scale of 0 stands for all zeros. */
function centre(
  block: Float32Array,
  count: number,
  shift: Float64Array,
  scale: number,
  rows: Float32Array,
  stride: number,
  sums: Float64Array,
): void {
  const d = shift.length;
  const factor = scale === 0 ? 0 : 1 / scale;
  rows.fill(0);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * stride, i * stride + d);
    for (let j = 0; j < d; j++) {
      row[j] = (block[i * d + j]! - shift[j]!) * factor;
      sums[j] = sums[j]! + row[j]!;
    }
  }
}
