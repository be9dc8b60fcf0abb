import type { MetricFeatures, ShapeFeatures } from '../../src/advise/meta-features.js';

/** Features of well-behaved embeddings, some of them changed. */
export function metricOf(changes: {
  variation?: number;
  euclid?: number;
  cosine?: number;
  zeros?: number;
}): MetricFeatures {
  const { variation = 0, euclid = 2, cosine = 2, zeros = 0 } = changes;
  return {
    norms: { mean: 1, variation, zeros },
    daviesBouldin: { euclid, cosine, clusters: 16, of: 'k-means' },
    labelRecall: undefined,
    agreement: { cosineDot: 0.4, cosineEuclid: 0.5, dotEuclid: 0.3 },
    relativeAngle: 70,
  };
}

export function shapeOf(changes: Partial<ShapeFeatures>): ShapeFeatures {
  return {
    relativeContrast: 1.8,
    intrinsicDimensionality: { mean: 20, p5: 15, p95: 30 },
    effectiveDimensions: 60,
    energy: [{ dimensions: 64, share: 0.9 }],
    outlierDimensions: [],
    queryShift: undefined,
    ...changes,
  };
}
