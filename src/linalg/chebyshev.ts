import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eachRow, type FloatMatrix, multiplyRows } from './float-product.js';

const DEGREE_MAX = 8;
/**
 * How much more the filter may amplify the largest eigenvalue than the last wanted one. Ritz
 * vectors contain about 2^-24 of each other, so 1e8 leaves float32 a digit or more of the weakest.
 */
const RATIO_MAX = 1e8;

/** Unit vectors amplified by more could leave the range of float32. */
const AMPLIFICATION_MAX = 1e30;

/** The Chebyshev polynomial T_m((2 λ − cut) / cut): small on [0, cut], growing fast above. */
export interface Filter {
  readonly cut: number;
  readonly degree: number;
}

/** The filter of the largest useful degree; cut < smallest ≤ largest. */
export function chooseFilter(cut: number, smallest: number, largest: number): Filter {
  const x = (2 * smallest - cut) / cut;
  const y = (2 * largest - cut) / cut;
  let [before, at] = [1, x];
  let [beforeTop, atTop] = [1, y];
  let degree = 1;
  while (degree < DEGREE_MAX) {
    [before, at] = [at, 2 * x * at - before];
    [beforeTop, atTop] = [atTop, 2 * y * atTop - beforeTop];
    if (!(atTop <= Math.min(AMPLIFICATION_MAX, RATIO_MAX * at))) break;
    degree++;
  }
  return { cut, degree };
}

/**
 * The filter of A applied to a block of `count` vectors, rows of d numbers, in float32, by the
 * three-term recurrence (Zhou, Saad, Tiago, Chelikowsky 2006, section 3). `products` = vectors · A.
 */
export function* applyFilter(
  kernels: Kernels,
  matrix: FloatMatrix,
  { cut, degree }: Filter,
  vectors: Float64Array,
  products: Float64Array,
): Steps<Float64Array> {
  const { d, stride } = matrix;
  const count = vectors.length / d;
  const mark = kernels.mark();
  const half = cut / 2;
  let before = kernels.alloc(count * stride * 4);
  let at = kernels.alloc(count * stride * 4);
  let next = kernels.alloc(count * stride * 4);
  yield* eachRow(kernels, matrix, before, count, (row, i) => {
    for (let j = 0; j < d; j++) row[j] = vectors[i * d + j]!;
  });
  yield* eachRow(kernels, matrix, at, count, (row, i) => {
    for (let k = i * d, j = 0; j < d; j++, k++) row[j] = products[k]! / half - vectors[k]!;
  });
  for (let step = 2; step <= degree; step++) {
    yield* multiplyRows(kernels, matrix, at, count, next);
    const [first, second] = [before, at];
    yield* eachRow(kernels, matrix, next, count, (row, i) => {
      const older = kernels.f32(first + i * stride * 4, d);
      const old = kernels.f32(second + i * stride * 4, d);
      for (let j = 0; j < d; j++) row[j] = 2 * (row[j]! / half - old[j]!) - older[j]!;
    });
    [before, at, next] = [at, next, before];
  }
  const result = new Float64Array(count * d);
  yield* eachRow(kernels, matrix, at, count, (row, i) => result.set(row, i * d));
  kernels.release(mark);
  return result;
}
