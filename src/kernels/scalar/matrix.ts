/**
 * Scalar twin of wasm/matrix.ts: an oracle for the tests, not exported by the package. Matrices are
 * row-major and dense; products are taken in float64.
 */

const PANEL_COLUMNS = 8;

/** rows × cols as ceil(cols / 8) panels of rows × 8, missing columns 0. */
export function packPanels(matrix: Float32Array, rows: number, cols: number): Float32Array {
  const panels = Math.ceil(cols / PANEL_COLUMNS);
  const packed = new Float32Array(panels * rows * PANEL_COLUMNS);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const panel = Math.floor(c / PANEL_COLUMNS);
      const column = c % PANEL_COLUMNS;
      packed[(panel * rows + r) * PANEL_COLUMNS + column] = matrix[r * cols + c]!;
    }
  }
  return packed;
}

/** a · b: rows × depth times depth × cols. */
export function multiply(
  a: Float32Array,
  b: Float32Array,
  rows: number,
  depth: number,
  cols: number,
): Float64Array {
  const product = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < depth; k++) {
      const x = a[r * depth + k]!;
      for (let c = 0; c < cols; c++) product[r * cols + c]! += x * b[k * cols + c]!;
    }
  }
  return product;
}

/** aᵀ · b: depth × colsA and depth × colsB. */
export function outer(
  a: Float32Array,
  b: Float32Array,
  depth: number,
  colsA: number,
  colsB: number,
): Float64Array {
  const product = new Float64Array(colsA * colsB);
  for (let k = 0; k < depth; k++) {
    for (let i = 0; i < colsA; i++) {
      const x = a[k * colsA + i]!;
      for (let j = 0; j < colsB; j++) product[i * colsB + j]! += x * b[k * colsB + j]!;
    }
  }
  return product;
}
