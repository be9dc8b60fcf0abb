import { checkFinite, checkRows } from '../base/check.js';
import { wrongType } from '../base/errors.js';

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
  const m = checkRows('query', query, dimensions);
  checkFinite('query', query, dimensions);
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw wrongType('threshold', 'a number', threshold);
  }
  const rows = Array.from({ length: m }, (_, r) =>
    query.subarray(r * dimensions, (r + 1) * dimensions),
  );
  const sums: Float64Array[] = [];
  let left = rows;
  while (left.length > 0) {
    const [centre] = left as [Float32Array];
    const isNear = (row: Float32Array) => row === centre || dot(row, centre) >= threshold;
    sums.push(sumOf(left.filter(isNear)));
    left = left.filter((row) => !isNear(row));
  }
  const out = new Float32Array(sums.length * dimensions);
  for (const [i, sum] of sums.entries()) out.set(sum, i * dimensions);
  return out;
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
