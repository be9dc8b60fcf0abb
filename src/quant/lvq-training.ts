/** The mean of rows (0 of none), and of their coordinates the mean square and its part around it. */
export function columnMoments(vectors: Float32Array, dimensions: number) {
  const count = vectors.length / dimensions;
  const sums = new Float64Array(dimensions);
  let squares = 0;
  for (let i = 0; i < vectors.length; i++) {
    const x = vectors[i]!;
    sums[i % dimensions]! += x;
    squares += x * x;
  }
  const mean = Float32Array.from(sums, (sum) => (count === 0 ? 0 : sum / count));
  const meanSquare = squares / Math.max(1, vectors.length);
  const squaredMean = mean.reduce((sum, x) => sum + x * x, 0) / dimensions;
  return { mean, meanSquare, variance: Math.max(0, meanSquare - squaredMean) };
}

/**
 * 1, or the power of two nearest to the size of the coordinates around their mean where that is far
 * from 1: near 2^-8 the rule for almost constant vectors (wasm/lvq.ts) would take in all of them.
 * No less than 2^-10 of the size around zero, so that binary16 holds vectors unlike the trained.
 */
export function chooseUnit(meanSquare: number, variance: number): number {
  const aroundMean = Math.sqrt(variance);
  if (meanSquare === 0 || (aroundMean > 2 ** -4 && aroundMean < 2 ** 8)) return 1;
  return 2 ** Math.round(Math.log2(Math.max(aroundMean, Math.sqrt(meanSquare) / 1024)));
}
