/** Rows of `width` numbers of a matrix, in the order of their numbers. */
export function gatherRows(
  matrix: Float32Array,
  width: number,
  numbers: ArrayLike<number>,
): Float32Array {
  const rows = new Float32Array(numbers.length * width);
  for (let i = 0; i < numbers.length; i++) {
    const from = numbers[i]! * width;
    rows.set(matrix.subarray(from, from + width), i * width);
  }
  return rows;
}
