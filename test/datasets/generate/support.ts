import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** The mean row. */
export function meanOf(rows: Float32Array, dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  const count = rows.length / dimensions;
  for (let i = 0; i < rows.length; i++) mean[i % dimensions] += rows[i] / count;
  return mean;
}

/** The mean square length of the rows. */
export function meanSquareLength(rows: Float32Array, dimensions: number): number {
  return rows.reduce((sum, value) => sum + value * value, 0) / (rows.length / dimensions);
}

/** Variances along the principal axes, largest first, and the axes as columns. */
export function principalAxes(
  rows: Float32Array,
  dimensions: number,
): { variances: number[]; axes: Matrix } {
  const mean = meanOf(rows, dimensions);
  const count = rows.length / dimensions;
  const covariance = Matrix.zeros(dimensions, dimensions);
  for (let start = 0; start < rows.length; start += dimensions) {
    for (let i = 0; i < dimensions; i++) {
      const a = rows[start + i] - mean[i];
      for (let j = 0; j <= i; j++) {
        const product = (a * (rows[start + j] - mean[j])) / count;
        covariance.set(i, j, covariance.get(i, j) + product);
        if (j < i) covariance.set(j, i, covariance.get(i, j));
      }
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i);
  order.sort((a, b) => realEigenvalues[b] - realEigenvalues[a]);
  return {
    variances: order.map((i) => realEigenvalues[i]),
    axes: eigenvectorMatrix.selection(
      order.map((_, i) => i),
      order,
    ),
  };
}
