import { checkFinite, checkRows } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';

/**
 * Ball carving of a query (MUVERA, arXiv 2405.19504, section 3.2): the first row that is in no cluster
 * yet takes in all such rows whose dot product with it is at least `threshold`, until none is left;
 * each cluster becomes the sum of its rows. MaxSim of the sums is at most that of the rows.
 * @param query m x dimensions; rows of unit length give the threshold its meaning.
 * @returns the sums, in the order of their first rows.
 * @throws TypeError, RangeError for wrong types and lengths, NaN or infinity.
 */
export function carveQuery(
  query: Float32Array,
  dimensions: number,
  threshold: number,
): Float32Array {
  return drain(carveSteps(query, dimensions, threshold));
}

/** The same in slices. */
export function* carveSteps(
  query: Float32Array,
  dimensions: number,
  threshold: number,
): Steps<Float32Array> {
  const m = checkRows('query', query, dimensions);
  checkFinite('query', query, dimensions);
  checkThreshold('threshold', threshold);
  let left = Array.from({ length: m }, (_, r) =>
    query.subarray(r * dimensions, (r + 1) * dimensions),
  );
  const sums: Float64Array[] = [];
  while (left.length > 0) {
    const [centre] = left as [Float32Array];
    const near = new Set(left.filter((row) => row === centre || dot(row, centre) >= threshold));
    sums.push(sumOf([...near]));
    left = left.filter((row) => !near.has(row));
    yield;
  }
  const out = new Float32Array(sums.length * dimensions);
  for (const [i, sum] of sums.entries()) out.set(sum, i * dimensions);
  return out;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` unless dot products can be compared with it. */
export function checkThreshold(what: string, threshold: unknown): void {
  if (typeof threshold !== 'number') throw wrongType(what, 'a number', threshold);
  if (Number.isNaN(threshold)) throw outOfRange(what, 'a number', threshold);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

function sumOf(rows: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) {
    for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
  }
  return sum;
}
