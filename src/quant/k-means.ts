import { checkInteger, checkRows } from '../base/check.js';
import { Random } from '../base/random.js';
import { drain, type Steps } from '../base/steps.js';
import { Kernels, paddedDimensions } from '../kernels/index.js';

/** Rounds at the most; the means move little after ten or twenty. */
const ROUNDS_MAX = 50;
/** It ends when a round lowers the sum of squared distances by less than this share. */
const TOLERANCE = 1e-4;
/** Multiplications between two yields: a few milliseconds. */
const PRODUCTS_PER_STEP = 4_000_000;

export interface KMeans {
  /** k x dimensions, row-major. */
  readonly means: Float32Array;
  /** The mean of each row: the nearest, the first of equally near ones. */
  readonly labels: Uint32Array;
  /** Mean squared distance of a row to its mean. */
  readonly distortion: number;
}

/** Means in the memory of the kernels, one after the other. */
export interface PlacedMeans {
  readonly pointer: number;
  /** Bytes from one mean to the next. */
  readonly stride: number;
  readonly count: number;
  readonly dimensions: number;
}

/**
 * k-means by Lloyd's rounds from a k-means++ start (Arthur and Vassilvitskii 2007): distances are
 * float32, means are summed in float64. A mean that loses all its rows moves to the row that is
 * farthest from its own. The distortion does not rise from round to round.
 *
 * @param rows n x dimensions, checked for finite numbers; k ≤ n.
 * @param kernels Whose memory is used and given back; nobody else takes of it meanwhile.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
 */
export function* kMeansSteps(
  rows: Float32Array,
  dimensions: number,
  k: number,
  seed = 1,
  kernels = new Kernels(),
): Steps<KMeans> {
  const count = checkRows('rows', rows, dimensions);
  checkInteger('the number of means', k, 1, count);
  const mark = kernels.mark();
  const placed = placeMeans(kernels, yield* plusPlusSteps(rows, dimensions, k, seed), dimensions);
  const row = kernels.alloc(placed.stride);
  const labels = new Uint32Array(count);
  const distances = new Float64Array(count);
  const rowsPerStep = Math.ceil(PRODUCTS_PER_STEP / (k * dimensions));
  let previous = Infinity;
  for (let round = 0; ; round++) {
    let total = 0;
    for (let r = 0; r < count; r++) {
      kernels.f32(row, dimensions).set(rows.subarray(r * dimensions, (r + 1) * dimensions));
      const nearest = nearestMean(kernels, row, placed);
      labels[r] = nearest.index;
      distances[r] = nearest.squaredDistance;
      total += nearest.squaredDistance;
      if (r % rowsPerStep === 0) yield;
    }
    const settled = round > 0 && previous - total <= TOLERANCE * previous;
    if (round === ROUNDS_MAX || settled) {
      const means = readMeans(kernels, placed);
      kernels.release(mark);
      return { means, labels, distortion: total / count };
    }
    previous = total;
    yield* moveMeans(kernels, placed, rows, labels, distances);
  }
}

/** kMeansSteps without a pause. */
export function kMeans(rows: Float32Array, dimensions: number, k: number, seed = 1): KMeans {
  return drain(kMeansSteps(rows, dimensions, k, seed));
}

/** Copies means into fresh memory of the kernels. */
export function placeMeans(kernels: Kernels, means: Float32Array, dimensions: number): PlacedMeans {
  const count = means.length / dimensions;
  const stride = paddedDimensions(dimensions) * 4;
  const pointer = kernels.alloc(count * stride);
  for (let m = 0; m < count; m++) {
    const mean = means.subarray(m * dimensions, (m + 1) * dimensions);
    kernels.f32(pointer + m * stride, dimensions).set(mean);
  }
  return { pointer, stride, count, dimensions };
}

/** The mean nearest to the row at a pointer, the first of equally near ones. */
export function nearestMean(
  kernels: Kernels,
  row: number,
  { pointer, stride, count, dimensions }: PlacedMeans,
): { index: number; squaredDistance: number } {
  let index = 0;
  let least = Infinity;
  for (let m = 0; m < count; m++) {
    const distance = kernels.call.squaredL2F32(row, pointer + m * stride, dimensions);
    if (distance < least) {
      least = distance;
      index = m;
    }
  }
  return { index, squaredDistance: least };
}

function readMeans(kernels: Kernels, { pointer, stride, count, dimensions }: PlacedMeans) {
  const means = new Float32Array(count * dimensions);
  for (let m = 0; m < count; m++) {
    means.set(kernels.f32(pointer + m * stride, dimensions), m * dimensions);
  }
  return means;
}

/** k rows, each chosen with a chance in proportion to its squared distance to those before it. */
function* plusPlusSteps(
  rows: Float32Array,
  dimensions: number,
  k: number,
  seed: number,
): Steps<Float32Array> {
  const count = rows.length / dimensions;
  const random = new Random(seed);
  const rowsPerStep = Math.ceil(PRODUCTS_PER_STEP / dimensions);
  const means = new Float32Array(k * dimensions);
  const nearest = new Float64Array(count).fill(Infinity);
  let chosen = random.below(count);
  for (let m = 0; m < k; m++) {
    const mean = rows.subarray(chosen * dimensions, (chosen + 1) * dimensions);
    means.set(mean, m * dimensions);
    let total = 0;
    for (let r = 0; r < count; r++) {
      const distance = squaredDistance(rows, r * dimensions, mean);
      if (distance < nearest[r]!) nearest[r] = distance;
      total += nearest[r]!;
      if (r % rowsPerStep === 0) yield;
    }
    // Where all rows are at a mean already, any is as good as any other.
    chosen = total > 0 ? pick(nearest, random.uniform() * total) : random.below(count);
  }
  return means;
}

/** The first index at which the running sum of the weights exceeds `at`, of a positive weight. */
function pick(weights: Float64Array, at: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    sum += weights[i]!;
    last = i;
    if (sum > at) break;
  }
  return last;
}

function squaredDistance(rows: Float32Array, start: number, mean: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < mean.length; j++) {
    const difference = rows[start + j]! - mean[j]!;
    sum += difference * difference;
  }
  return sum;
}

/** Each mean to the mean of its rows; one without rows to the row farthest from its own mean. */
function* moveMeans(
  kernels: Kernels,
  { pointer, stride, count, dimensions }: PlacedMeans,
  rows: Float32Array,
  labels: Uint32Array,
  distances: Float64Array,
): Steps<void> {
  const sums = new Float64Array(count * dimensions);
  const sizes = new Uint32Array(count);
  const rowsPerStep = Math.ceil(PRODUCTS_PER_STEP / dimensions);
  for (let r = 0; r < labels.length; r++) {
    const label = labels[r]!;
    sizes[label] = sizes[label]! + 1;
    const at = label * dimensions;
    for (let j = 0; j < dimensions; j++) sums[at + j] = sums[at + j]! + rows[r * dimensions + j]!;
    if (r % rowsPerStep === 0) yield;
  }
  for (let m = 0; m < count; m++) {
    const mean = kernels.f32(pointer + m * stride, dimensions);
    if (sizes[m]! > 0) {
      for (let j = 0; j < dimensions; j++) mean[j] = sums[m * dimensions + j]! / sizes[m]!;
    } else {
      const farthest = distances.reduce((best, x, r) => (x > distances[best]! ? r : best), 0);
      mean.set(rows.subarray(farthest * dimensions, (farthest + 1) * dimensions));
      distances[farthest] = 0;
    }
  }
}
