import { checkFinite, checkInteger, checkOptions, checkRows } from '../base/check.js';
import { Random } from '../base/random.js';
import { drain, type Progress, type Steps } from '../base/steps.js';
import {
  asBytes,
  corrupt,
  doubleSection,
  floatSection,
  readContainer,
  writeContainer,
} from '../format/container.js';
import { Kernels } from '../kernels/index.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import { createMoments, type Moments } from '../linalg/moments.js';

/** Rows that the training reads at the most; more change the leading subspace little. */
const SAMPLE_ROWS_MAX = 16_384;
const BLOCK_ROWS = 256;

export interface LeanVecOptions {
  dimensions: number;
  /** Dimensions to keep, 1 … dimensions. */
  target: number;
  /** Seed of the sample and of the eigensolver. Default 1. */
  seed?: number;
}

const KIND = 'leanvec';
const LEANVEC_OPTIONS = [
  'dimensions',
  'target',
  'seed',
] as const satisfies readonly (keyof LeanVecOptions)[];

/**
 * LeanVec, the in-distribution variant (arXiv 2312.16335, section 2.2): the leading eigenvectors of
 * the data's covariance serve data and queries alike, x ↦ P (x − mean), q ↦ P q.
 */
export class LeanVec {
  readonly dimensions: number;
  readonly target: number;
  /** `dimensions` numbers. */
  readonly mean: Float32Array;
  /** P: target x dimensions, orthonormal rows, by falling variance. */
  readonly basis: Float32Array;
  /** Variance along each row of the basis. */
  readonly variances: Float64Array;
  /** Variance along all dimensions together. */
  readonly totalVariance: number;

  constructor(
    mean: Float32Array,
    basis: Float32Array,
    variances: Float64Array,
    totalVariance: number,
  ) {
    this.dimensions = mean.length;
    this.target = variances.length;
    this.mean = mean;
    this.basis = basis;
    this.variances = variances;
    this.totalVariance = totalVariance;
  }

  /**
   * Trains on rows (n x dimensions, n ≥ 1; a seeded sample of them where they are many).
   * @throws TypeError, RangeError for wrong options, lengths, NaN or infinity.
   */
  static train(vectors: Float32Array, options: LeanVecOptions): LeanVec {
    checkOptions('LeanVec', options, LEANVEC_OPTIONS);
    const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
    const target = checkInteger('target', options.target, 1, dimensions);
    const count = checkRows('vectors', vectors, dimensions);
    checkInteger('the number of vectors', count, 1, 2 ** 32);
    checkFinite('vectors', vectors, dimensions);
    const seed = checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff);
    const rows = sampleRows(vectors, dimensions, seed);
    const kernels = new Kernels();
    const moments = drain(momentSteps(kernels, rows, dimensions));
    return drain(leanVecSteps(kernels, moments, target, seed));
  }

  /** Share of the variance that the first `target` (default: all kept) rows of the basis carry. */
  energyKept(target = this.target): number {
    if (this.totalVariance === 0) return 1;
    let kept = 0;
    for (let i = 0; i < target; i++) kept += this.variances[i]!;
    return Math.min(1, kept / this.totalVariance);
  }

  /** P (x − mean) for rows of vectors: n x target. */
  project(vectors: Float32Array): Float32Array {
    return this.multiply(vectors, this.mean);
  }

  /** P q for rows of queries: n x target. <P q, P (x − mean)> ≈ <q, x> − <q, mean>. */
  projectQueries(queries: Float32Array): Float32Array {
    return this.multiply(queries, undefined);
  }

  /** The trained projection as bytes (docs/format.md). */
  toBytes(): Uint8Array {
    const { dimensions, target, totalVariance } = this;
    return writeContainer({
      kind: KIND,
      header: { dimensions, target, totalVariance },
      sections: {
        mean: asBytes(this.mean),
        basis: asBytes(this.basis),
        variances: asBytes(this.variances),
      },
    });
  }

  /** @throws TypeError, LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`. */
  static fromBytes(bytes: Uint8Array): LeanVec {
    const { header, sections } = readContainer(bytes, KIND);
    const { dimensions, target, totalVariance } = header as Record<string, number>;
    const isSize = (n: unknown) => Number.isInteger(n) && (n as number) >= 1;
    const fits = isSize(dimensions) && isSize(target) && target! <= dimensions!;
    if (!fits || !(totalVariance! >= 0)) {
      throw corrupt(KIND, 'its header is not valid');
    }
    const mean = floatSection(sections, 'mean', dimensions!, KIND);
    const basis = floatSection(sections, 'basis', target! * dimensions!, KIND);
    const variances = doubleSection(sections, 'variances', target!, KIND);
    return new LeanVec(mean, basis, variances, totalVariance!);
  }

  private multiply(vectors: Float32Array, mean: Float32Array | undefined): Float32Array {
    const { dimensions: d, target } = this;
    const count = checkRows('vectors', vectors, d);
    const out = new Float32Array(count * target);
    const row = new Float64Array(d);
    for (let r = 0; r < count; r++) {
      for (let j = 0; j < d; j++) row[j] = vectors[r * d + j]! - (mean?.[j] ?? 0);
      for (let i = 0; i < target; i++) {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += this.basis[i * d + j]! * row[j]!;
        out[r * target + i] = sum;
      }
    }
    return out;
  }
}

/** At most SAMPLE_ROWS_MAX rows, in random order where they are a choice. */
export function sampleRows(vectors: Float32Array, dimensions: number, seed: number): Float32Array {
  const count = vectors.length / dimensions;
  if (count <= SAMPLE_ROWS_MAX) return vectors;
  const chosen = new Random(seed).permutation(count).subarray(0, SAMPLE_ROWS_MAX);
  const sample = new Float32Array(SAMPLE_ROWS_MAX * dimensions);
  chosen.forEach((row, i) => {
    sample.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  return sample;
}

/** Mean and covariance of checked rows, in slices. */
export function* momentSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
): Steps<Moments> {
  const count = rows.length / dimensions;
  const progress: Progress = { phase: 'train', done: 0, total: Math.ceil(count / BLOCK_ROWS) };
  const moments = createMoments(kernels, dimensions);
  for (let from = 0; from < count; from += BLOCK_ROWS) {
    const size = Math.min(BLOCK_ROWS, count - from);
    yield* moments.addSteps(rows.subarray(from * dimensions, (from + size) * dimensions), size);
    progress.done++;
    yield progress;
  }
  return yield* moments.finishSteps();
}

/** The projection to `target` dimensions, in slices. */
export function* leanVecSteps(
  kernels: Kernels,
  { mean, covariance }: Moments,
  target: number,
  seed: number,
): Steps<LeanVec> {
  const dimensions = mean.length;
  let total = 0;
  for (let i = 0; i < dimensions; i++) total += covariance[i * dimensions + i]!;
  const random = new Random(seed);
  const { values, vectors } = yield* leadingEigenSteps(
    kernels,
    covariance,
    dimensions,
    target,
    random,
  );
  const variances = values.slice(0, target).map((value) => Math.max(0, value));
  const basis = Float32Array.from(vectors.subarray(0, target * dimensions));
  return new LeanVec(Float32Array.from(mean), basis, variances, total);
}
