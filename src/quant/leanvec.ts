import { checkFinite, checkInteger, checkOneOf, checkOptions, checkRows } from '../base/check.js';
import { DISTANCES, type Distance, type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import {
  asBytes,
  doubleSection,
  floatSection,
  readContainer,
  writeContainer,
} from '../format/container.js';
import { corrupt } from '../format/layout.js';
import { Kernels } from '../kernels/index.js';
import type { Moments } from '../linalg/moments.js';
import { trace } from '../linalg/trace.js';
import { type PrincipalComponents, pcaSteps } from './pca.js';
import {
  QUERY_AWARE_METHODS,
  type QueryAwareMaps,
  type QueryAwareMethod,
  queryAwareSteps,
} from './query-aware.js';
import { momentSteps, sampleRows } from './sample.js';
import { checkTarget, fewestKeeping, type Kept, shareKept, type TargetGoal } from './target.js';

export { momentSteps, sampleRows } from './sample.js';

/** How the maps are trained: 'pca' from the data alone, the others from queries as well. */
export type LeanVecMethod = 'pca' | QueryAwareMethod;

export interface LeanVecOptions {
  dimensions: number;
  /** Dimensions to keep, 1 … dimensions, or the goal that decides their number. */
  target: TargetGoal;
  /** Training queries, rows as the vectors'; other queries than those to test with. */
  queries?: Float32Array;
  /** Default 'balanced-sphering' with queries and 'pca' without. */
  method?: LeanVecMethod;
  /**
   * What the projection serves. Euclid centres queries by the data's mean, Dot and Cosine do not
   * (`queryAwareSteps` says why). For Cosine the vectors should have unit length. Default 'Dot'.
   */
  distance?: DistanceName;
  /** Seed of the sample and of the eigensolver. Default 1. */
  seed?: number;
}

/** Everything that is trained; the fields of LeanVec explain it. */
export interface LeanVecParts {
  method: LeanVecMethod;
  distance: Distance;
  mean: Float32Array;
  basis: Float32Array;
  queryBasis: Float32Array;
  energies: Float64Array;
  totalEnergy: number;
  totalVariance: number;
  loss: number;
}

const KIND = 'leanvec';
const LEANVEC_OPTIONS = [
  'dimensions',
  'target',
  'queries',
  'method',
  'distance',
  'seed',
] as const satisfies readonly (keyof LeanVecOptions)[];
const METHODS: readonly LeanVecMethod[] = ['pca', ...QUERY_AWARE_METHODS];

/**
 * LeanVec (arXiv 2312.16335): linear maps to fewer dimensions that keep inner products of queries
 * with vectors, <q, x − mean> ≈ <A q, B (x − mean)>. Without queries A = B are the data's leading
 * principal components; with them A and B are fitted to both (`queryAwareSteps`).
 */
export class LeanVec {
  readonly dimensions: number;
  readonly target: number;
  readonly method: LeanVecMethod;
  readonly distance: Distance;
  /** The vectors' mean, `dimensions` numbers. */
  readonly mean: Float32Array;
  /** B, the data map: target x dimensions, rows by falling importance. */
  readonly basis: Float32Array;
  /** A, the query map: target x dimensions; the same array as `basis` where they are equal. */
  readonly queryBasis: Float32Array;
  /** What each row keeps: the data's variance, with sphering the inner products' energy. */
  readonly energies: Float64Array;
  /** What the energies of all dimensions add up to. */
  readonly totalEnergy: number;
  /** The data's variance along all dimensions together. */
  readonly totalVariance: number;
  /**
   * Mean squared error of the inner products over their mean square, f / tr(K_Q K_X), on the
   * training sample; without queries for queries distributed as the vectors.
   */
  readonly loss: number;

  constructor(parts: LeanVecParts) {
    this.dimensions = parts.mean.length;
    this.target = parts.energies.length;
    this.method = parts.method;
    this.distance = parts.distance;
    this.mean = parts.mean;
    this.basis = parts.basis;
    this.queryBasis = parts.queryBasis;
    this.energies = parts.energies;
    this.totalEnergy = parts.totalEnergy;
    this.totalVariance = parts.totalVariance;
    this.loss = parts.loss;
  }

  /**
   * Trains on rows (n x dimensions, n ≥ 1; a seeded sample of them where they are many). A goal
   * instead of a number of dimensions needs a method whose leading rows are the maps for fewer
   * dimensions: 'pca' and the sphering methods.
   * @throws TypeError, RangeError for wrong options, lengths, NaN or infinity.
   */
  static train(vectors: Float32Array, options: LeanVecOptions): LeanVec {
    const resolved = resolveLeanVec(options);
    const { dimensions, queries, seed } = resolved;
    const rows = checkedSample('vectors', vectors, dimensions, seed);
    const queryRows = queries && checkedSample('queries', queries, dimensions, seed);
    return drain(trainSteps(rows, queryRows, resolved));
  }

  /** Share of the energy that the first `target` (default: all kept) rows of the maps carry. */
  energyKept(target = this.target): number {
    return shareKept({ each: this.energies, total: this.totalEnergy }, target);
  }

  /** B (x − mean) for rows of vectors: n x target. */
  project(vectors: Float32Array): Float32Array {
    return this.multiply(this.basis, vectors, this.mean);
  }

  /**
   * A q, for Euclid A (q − mean), for rows of queries: n x target. <A q, B (x − mean)> ≈
   * <q, x> − <q, mean>, for Euclid <q − mean, x − mean>.
   */
  projectQueries(queries: Float32Array): Float32Array {
    const about = this.distance === 'Euclid' ? this.mean : undefined;
    return this.multiply(this.queryBasis, queries, about);
  }

  /**
   * The trained projection as bytes: header `dimensions`, `target`, `method`, `distance`,
   * `totalVariance`, `totalEnergy`, `loss`; sections `mean`, `basis` (float32), `energies`
   * (float64), and `queryBasis` (float32) where it is not the basis.
   */
  toBytes(): Uint8Array {
    const { dimensions, target, method, distance, totalVariance, totalEnergy, loss } = this;
    const sections: Record<string, Uint8Array> = {
      mean: asBytes(this.mean),
      basis: asBytes(this.basis),
      energies: asBytes(this.energies),
    };
    if (this.queryBasis !== this.basis) sections.queryBasis = asBytes(this.queryBasis);
    const header = { dimensions, target, method, distance, totalVariance, totalEnergy, loss };
    return writeContainer({ kind: KIND, header, sections });
  }

  /** @throws TypeError, LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`. */
  static fromBytes(bytes: Uint8Array): LeanVec {
    const { header, sections } = readContainer(bytes, KIND);
    const { dimensions, target, ...rest } = checkHeader(header);
    const basis = floatSection(sections, 'basis', target * dimensions, KIND);
    return new LeanVec({
      ...rest,
      mean: floatSection(sections, 'mean', dimensions, KIND),
      basis,
      queryBasis:
        sections.queryBasis === undefined
          ? basis
          : floatSection(sections, 'queryBasis', target * dimensions, KIND),
      energies: doubleSection(sections, 'energies', target, KIND),
    });
  }

  private multiply(
    basis: Float32Array,
    vectors: Float32Array,
    mean: Float32Array | undefined,
  ): Float32Array {
    const { dimensions: d, target } = this;
    const count = checkRows('vectors', vectors, d);
    const out = new Float32Array(count * target);
    const row = new Float64Array(d);
    for (let r = 0; r < count; r++) {
      for (let j = 0; j < d; j++) row[j] = vectors[r * d + j]! - (mean?.[j] ?? 0);
      for (let i = 0; i < target; i++) {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += basis[i * d + j]! * row[j]!;
        out[r * target + i] = sum;
      }
    }
    return out;
  }
}

type ResolvedLeanVec = Required<Omit<LeanVecOptions, 'queries' | 'distance'>> & {
  queries: Float32Array | undefined;
  distance: Distance;
};

function resolveLeanVec(options: LeanVecOptions): ResolvedLeanVec {
  checkOptions('LeanVec', options, LEANVEC_OPTIONS);
  const { queries } = options;
  const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
  const target = checkTarget(options.target, dimensions);
  const preset = queries === undefined ? 'pca' : 'balanced-sphering';
  const method = checkOneOf('method', options.method ?? preset, METHODS);
  if (method !== 'pca' && queries === undefined) {
    throw outOfRange('queries', `training queries, which method ${method} needs`, queries);
  }
  const isPrefix = method !== 'frank-wolfe' && method !== 'eigenvector-search';
  if (typeof target !== 'number' && !isPrefix) {
    throw outOfRange('target', `a number with method ${method}`, target);
  }
  const distance = parseDistance(options.distance ?? 'Dot');
  const seed = checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff);
  return { dimensions, target, queries, method, distance, seed };
}

function checkedSample(what: string, rows: Float32Array, dimensions: number, seed: number) {
  const count = checkRows(what, rows, dimensions);
  checkInteger(`the number of ${what}`, count, 1, 2 ** 32);
  checkFinite(what, rows, dimensions);
  return sampleRows(rows, dimensions, seed);
}

/** What a saved header must be. */
function checkHeader(header: Record<string, unknown>) {
  const { dimensions, target, totalVariance, totalEnergy, loss } = header as Record<string, number>;
  const { method, distance } = header as { method: LeanVecMethod; distance: Distance };
  const isSize = (n: unknown) => Number.isInteger(n) && (n as number) >= 1;
  const isAmount = (x: unknown) => Number.isFinite(x) && (x as number) >= 0;
  const fits = isSize(dimensions) && isSize(target) && target! <= dimensions!;
  const amounts = [totalVariance, totalEnergy, loss].every(isAmount);
  if (!fits || !amounts || !METHODS.includes(method) || !DISTANCES.includes(distance)) {
    throw corrupt(KIND, 'its header is not valid');
  }
  return {
    dimensions: dimensions!,
    target: target!,
    method,
    distance,
    totalVariance: totalVariance!,
    totalEnergy: totalEnergy!,
    loss: loss!,
  };
}

/** LeanVec of checked rows and queries, in slices. */
function* trainSteps(
  rows: Float32Array,
  queryRows: Float32Array | undefined,
  options: ResolvedLeanVec,
): Steps<LeanVec> {
  const { dimensions, target: goal, method, distance, seed } = options;
  const kernels = new Kernels();
  const data = yield* momentSteps(kernels, rows, dimensions);
  const queries =
    queryRows === undefined ? data : yield* momentSteps(kernels, queryRows, dimensions);
  const most = typeof goal === 'number' ? goal : dimensions;
  if (method === 'pca') {
    const about = distance === 'Euclid' ? data.mean : undefined;
    const components = yield* pcaSteps(kernels, data, queries, about, most, seed);
    const kept =
      typeof goal === 'object' && 'loss' in goal ? components.inner : components.variance;
    return fromComponents(data, components, chooseTarget(goal, kept), distance);
  }
  const maps = yield* queryAwareSteps(kernels, data, queries, {
    target: most,
    method,
    distance,
    seed,
  });
  const target = chooseTarget(goal, { each: maps.energies, total: maps.totalEnergy });
  return fromMaps(data, maps, target, method, distance);
}

function chooseTarget(goal: TargetGoal, kept: Kept): number {
  if (typeof goal === 'number') return goal;
  return fewestKeeping('loss' in goal ? 1 - goal.loss : goal.energy, kept);
}

function fromComponents(
  { mean, covariance }: Moments,
  { basis, variance, inner }: PrincipalComponents,
  target: number,
  distance: Distance,
): LeanVec {
  const rows = Float32Array.from(basis.subarray(0, target * mean.length));
  return new LeanVec({
    method: 'pca',
    distance,
    mean: Float32Array.from(mean),
    basis: rows,
    queryBasis: rows,
    energies: variance.each.slice(0, target),
    totalEnergy: variance.total,
    totalVariance: trace(covariance, mean.length),
    loss: 1 - shareKept(inner, target),
  });
}

function fromMaps(
  { mean, covariance }: Moments,
  maps: QueryAwareMaps,
  target: number,
  method: QueryAwareMethod,
  distance: Distance,
): LeanVec {
  const d = mean.length;
  const basis = Float32Array.from(maps.basis.subarray(0, target * d));
  const isOne = maps.queryBasis === maps.basis;
  const isWhole = target * d === maps.basis.length;
  return new LeanVec({
    method,
    distance,
    mean: Float32Array.from(mean),
    basis,
    queryBasis: isOne ? basis : Float32Array.from(maps.queryBasis.subarray(0, target * d)),
    energies: maps.energies.slice(0, target),
    totalEnergy: maps.totalEnergy,
    totalVariance: trace(covariance, d),
    // Of a prefix of sphering's maps the energies are the loss.
    loss: isWhole
      ? maps.loss
      : 1 - shareKept({ each: maps.energies, total: maps.totalEnergy }, target),
  });
}

/** The in-distribution projection to `target` dimensions, in slices. */
export function* leanVecSteps(
  kernels: Kernels,
  data: Moments,
  target: number,
  seed: number,
): Steps<LeanVec> {
  const components = yield* pcaSteps(kernels, data, data, undefined, target, seed);
  return fromComponents(data, components, target, 'Dot');
}
