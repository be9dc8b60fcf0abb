import type { Distance } from '../base/distance.js';
import { gatherRows } from '../base/gather-rows.js';
import type { Steps } from '../base/steps.js';
import { distanceProfile, relativeAngle } from '../eval/contrast.js';
import { daviesBouldin } from '../eval/davies-bouldin.js';
import { type LabelRecall, labelRecall } from '../eval/label-recall.js';
import { localIntrinsicDimensionality } from '../eval/lid.js';
import { type MetricAgreement, metricAgreement } from '../eval/metric-agreement.js';
import { coefficientOfVariation, normsOf, unitRows } from '../eval/norms.js';
import { type OutlierDimension, outlierDimensions } from '../eval/outlier-dimensions.js';
import { type QueryShift, queryShift } from '../eval/query-shift.js';
import { spectrumSteps } from '../eval/spectrum.js';
import { Kernels } from '../kernels/index.js';
import { kMeansSteps } from '../quant/k-means.js';

/** What the lengths of vectors and their clusters say of the distance to compare them by. */
export interface MetricFeatures {
  /** Lengths: mean, standard deviation over mean (CV), how many are 0. */
  norms: { mean: number; variation: number; zeros: number };
  /**
   * Davies–Bouldin index under both distances, lower is better: of the classes given, or else of
   * clusters by k-means. NaN where there are fewer than two.
   */
  daviesBouldin: { euclid: number; cosine: number; clusters: number; of: 'labels' | 'k-means' };
  /** Of the classes given: how well the 10 nearest by each distance tell them. */
  labelRecall: LabelRecall | undefined;
  /** Share of the 10 nearest that two distances have in common. */
  agreement: MetricAgreement;
  /** Mean angle of the vectors to their mean, in degrees. */
  relativeAngle: number;
}

/** What the vectors, as the distance sees them, say of how hard they are to index and to compress. */
export interface ShapeFeatures {
  /** Mean distance over mean distance to the nearest; near 1 nothing stands out. */
  relativeContrast: number;
  intrinsicDimensionality: { mean: number; p5: number; p95: number };
  /** (Σλ)² / Σλ² of the principal components' variances. */
  effectiveDimensions: number;
  /** Share of the variance that the leading principal components hold. */
  energy: { dimensions: number; share: number }[];
  outlierDimensions: OutlierDimension[];
  /** Of the queries, where some were given. */
  queryShift: QueryShift | undefined;
}

const CLUSTERS = 16;
const CLASSES_MAX = 64;
/** A class of fewer rows has no spread to speak of. */
const CLASS_ROWS_MIN = 5;
/** Below this, lengths are rounding errors and all distances see the same vectors. */
const VARIATION_NONE = 1e-3;
const AGREEMENT_K = 10;
const AGREEMENT_QUERIES = 64;
/** Rows whose neighbours' classes are looked at: a standard error of a point or less. */
const LABEL_QUERIES = 512;
const PROBES = 64;
const LID_SAMPLE = 128;

/**
 * @param rows a random sample, n x dimensions, n ≥ 2.
 * @param probes rows of the same data that are not among them, at least one.
 * @param labels of the sample's rows.
 */
export function* metricFeatures(
  rows: Float32Array,
  probes: Float32Array,
  dimensions: number,
  labels: ArrayLike<number> | undefined,
  seed: number,
): Steps<MetricFeatures> {
  const lengths = normsOf(rows, dimensions);
  yield;
  const variation = coefficientOfVariation(lengths);
  const zeros = lengths.filter((length) => length === 0).length;
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const few = probes.subarray(0, AGREEMENT_QUERIES * dimensions);
  const k = Math.min(AGREEMENT_K, lengths.length);
  return {
    norms: { mean, variation, zeros },
    daviesBouldin:
      (labels && (yield* ofClasses(rows, dimensions, labels))) ??
      (yield* ofClusters(rows, dimensions, variation, seed)),
    labelRecall:
      labels && lengths.length > AGREEMENT_K
        ? yield* labelRecall(rows, dimensions, labels, AGREEMENT_K, LABEL_QUERIES)
        : undefined,
    agreement: yield* metricAgreement(rows, few, dimensions, k),
    relativeAngle: relativeAngle(rows, dimensions),
  };
}

/** Each distance with clusters of its own: those of the raw rows, and those of their directions. */
function* ofClusters(
  rows: Float32Array,
  dimensions: number,
  variation: number,
  seed: number,
): Steps<MetricFeatures['daviesBouldin']> {
  const clusters = Math.min(CLUSTERS, rows.length / dimensions);
  const raw = yield* kMeansSteps(rows, dimensions, clusters, seed);
  const directions =
    variation < VARIATION_NONE
      ? raw
      : yield* kMeansSteps(unitRows(rows, dimensions), dimensions, clusters, seed);
  const euclid = yield* daviesBouldin(rows, dimensions, raw.labels, 'Euclid');
  yield;
  const cosine = yield* daviesBouldin(rows, dimensions, directions.labels, 'Cosine');
  return { euclid, cosine, clusters, of: 'k-means' };
}

/** Of the most frequent classes of the sample; undefined where fewer than two have enough rows. */
function* ofClasses(
  rows: Float32Array,
  dimensions: number,
  labels: ArrayLike<number>,
): Steps<MetricFeatures['daviesBouldin'] | undefined> {
  const members = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const known = members.get(labels[row]);
    if (known === undefined) members.set(labels[row], [row]);
    else known.push(row);
  }
  const largest = [...members.values()]
    .filter(({ length }) => length >= CLASS_ROWS_MIN)
    .sort((a, b) => b.length - a.length)
    .slice(0, CLASSES_MAX);
  if (largest.length < 2) return undefined;
  const chosen = largest.flat();
  const some = gatherRows(rows, dimensions, chosen);
  const of = chosen.map((row) => labels[row]);
  const euclid = yield* daviesBouldin(some, dimensions, of, 'Euclid');
  yield;
  const cosine = yield* daviesBouldin(some, dimensions, of, 'Cosine');
  return { euclid, cosine, clusters: largest.length, of: 'labels' };
}

/**
 * @param rows, probes as above; of any length: they are scaled here where the distance is Cosine.
 * @param wide rows of the same data, more of them, for the intrinsic dimensionality.
 */
export function* shapeFeatures(
  samples: { rows: Float32Array; probes: Float32Array; wide: Float32Array },
  queries: Float32Array | undefined,
  dimensions: number,
  distance: Distance,
  seed: number,
): Steps<ShapeFeatures> {
  const seen = (of: Float32Array) => (distance === 'Cosine' ? unitRows(of, dimensions) : of);
  const rows = seen(samples.rows);
  const probes = seen(samples.probes.subarray(0, PROBES * dimensions));
  yield;
  const { contrast } = yield* distanceProfile(rows, probes, dimensions);
  const { mean, quantiles } = yield* localIntrinsicDimensionality(samples.wide, {
    ...{ dimensions, distance, seed, sample: LID_SAMPLE },
  });
  const { energy, effectiveDimensions } = yield* spectrumSteps(new Kernels(), rows, dimensions, {
    seed,
  });
  const asked = queries && seen(queries.subarray(0, PROBES * dimensions));
  return {
    relativeContrast: contrast,
    intrinsicDimensionality: { mean, p5: quantiles.p5, p95: quantiles.p95 },
    effectiveDimensions,
    energy: atPowersOfTwo(energy),
    outlierDimensions: outlierDimensions(rows, dimensions),
    queryShift: asked && (yield* queryShift(rows, probes, asked, dimensions)),
  };
}

/** At 8, 16, 32 … components, and at the last one known. */
function atPowersOfTwo(energy: Float64Array): ShapeFeatures['energy'] {
  const points: ShapeFeatures['energy'] = [];
  for (let count = 8; count < energy.length; count *= 2) {
    points.push({ dimensions: count, share: energy[count - 1] });
  }
  points.push({ dimensions: energy.length, share: energy[energy.length - 1] });
  return points;
}
