import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from '../linalg/eigen-symmetric.js';
import type { Moments } from '../linalg/moments.js';
import { transposeSteps } from '../linalg/row-products.js';
import { trace } from '../linalg/trace.js';
import type { KvKind } from './shape.js';

/** Adjacent layers. */
export interface LayerSpan {
  readonly first: number;
  readonly count: number;
}

/**
 * What the keys or the values of a group of adjacent layers are taken apart with: a token's numbers,
 * layer after layer, are x = mean + S⁻¹ U c for its coefficients c, S the scale of each layer.
 */
export interface KvBasis {
  readonly kind: KvKind;
  readonly layers: LayerSpan;
  /** Numbers of a token in the group: count · kvHeads · headDim. */
  readonly dimensions: number;
  /** Columns of U, by falling variance. */
  readonly rank: number;
  readonly mean: Float32Array;
  /** What the numbers of each layer are multiplied by, so that errors count alike in all. */
  readonly scale: Float32Array;
  /** U as binary16: dimensions × rank, row-major, orthonormal columns. */
  readonly vectors: Uint16Array;
  /** Of the coefficients, in the training data. */
  readonly variances: Float64Array;
  /** Variance of all coefficients, those beyond the rank included. */
  readonly totalVariance: number;
}

/** The bases of the keys and of the values of all layers. */
export type KvBases = readonly KvBasis[];

/** What the coding of a basis with so many components needs to be kept: U and the mean. */
export function basisBytes(basis: KvBasis, components: number): number {
  return 2 * basis.dimensions * components + 4 * basis.mean.length;
}

/** The basis that codes a layer, and the number of the layer in it. */
export function basisOf(bases: KvBases, kind: KvKind, layer: number): { at: number; part: number } {
  const at = bases.findIndex(
    ({ kind: of, layers: { first, count } }) =>
      of === kind && layer >= first && layer < first + count,
  );
  return { at, part: layer - bases[at]!.layers.first };
}

/** Tokens of less are as good as zero: their scale would leave float32. */
const ENERGY_LEAST = 2 ** -200;

/**
 * Principal components of a group, from its moments. Each layer is scaled by weight / the root mean
 * square length of its tokens, so that relative errors of all layers count alike; the rest is the
 * truncated SVD of xKV (arXiv 2503.18893) of what is left without the mean.
 */
export function* makeBasisSteps(
  kernels: Kernels,
  { mean, covariance }: Moments,
  kind: KvKind,
  layers: LayerSpan,
  weight: number,
): Steps<KvBasis> {
  const d = mean.length;
  const width = d / layers.count;
  const scale = Float32Array.from({ length: layers.count }, (_, part) => {
    let energy = 0;
    for (let i = part * width; i < (part + 1) * width; i++) {
      energy += covariance[i * d + i]! + mean[i]! ** 2;
    }
    return energy > ENERGY_LEAST ? weight / Math.sqrt(energy) : 1;
  });
  const scaled = covariance.slice();
  for (let i = 0; i < d; i++) {
    const factor = scale[Math.floor(i / width)]!;
    for (let j = 0; j < d; j++) {
      scaled[i * d + j] = scaled[i * d + j]! * factor * scale[Math.floor(j / width)]!;
    }
    if (i % 64 === 0) yield;
  }
  const { values, vectors } = yield* eigenSymmetricSteps(kernels, scaled, d);
  const columns = yield* transposeSteps(vectors, d);
  return {
    kind,
    layers,
    dimensions: d,
    rank: d,
    mean: Float32Array.from(mean),
    scale,
    vectors: yield* halvesSteps(kernels, columns),
    variances: values.map((value) => Math.max(0, value)),
    totalVariance: trace(scaled, d),
  };
}

/** Of the mean variance of the components: what a calibrated one has at least. */
const VARIANCE_LEAST = 2 ** -12;

/**
 * A basis for other tokens than those it was made of. Few of them miss directions that others have:
 * steps are fitted to a cache within 2^8 of the training's deviation (stepOf), so it must not be 0.
 */
export function forOthers(basis: KvBasis): KvBasis {
  const least = (basis.totalVariance / basis.dimensions) * VARIANCE_LEAST;
  return { ...basis, variances: basis.variances.map((variance) => Math.max(variance, least)) };
}

/** The first `rank` components of a basis. */
export function* truncateSteps(basis: KvBasis, rank: number): Steps<KvBasis> {
  const { dimensions: d, rank: from, vectors, variances } = basis;
  const kept = new Uint16Array(d * rank);
  for (let i = 0; i < d; i++) {
    kept.set(vectors.subarray(i * from, i * from + rank), i * rank);
    if (i % 256 === 0) yield;
  }
  return { ...basis, rank, vectors: kept, variances: variances.slice(0, rank) };
}

/** Numbers that one kernel call converts. */
const NUMBERS_PER_CALL = 65_536;

/** Numbers as binary16. */
export function* halvesSteps(
  kernels: Kernels,
  numbers: Float64Array | Float32Array,
): Steps<Uint16Array> {
  const halves = new Uint16Array(numbers.length);
  const mark = kernels.mark();
  const size = Math.min(NUMBERS_PER_CALL, numbers.length);
  const from = kernels.alloc(size * 4);
  const to = kernels.alloc(size * 2);
  for (let at = 0; at < numbers.length; at += size) {
    const part = numbers.subarray(at, at + size);
    kernels.f32(from, part.length).set(part);
    kernels.call.kvToHalves(from, part.length, to);
    halves.set(kernels.u16(to, part.length), at);
    yield;
  }
  kernels.release(mark);
  return halves;
}
