import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { basisBytes, type KvBases, type KvBasis, truncateSteps } from './basis.js';
import type { ResolvedCompress } from './compress-options.js';
import { fitExponents, type Sample, sampleSteps, secondMoments } from './fit.js';
import type { ResolvedKv } from './options.js';
import { bitsForError, expectedError, type KvPlan, planBits } from './plan.js';
import {
  codeTokensSteps,
  exactBits,
  type FillRow,
  fillFrom,
  type KvSegment,
  newSegment,
  unusualTokens,
  withExact,
} from './segment.js';
import { type KvRows, widthOf } from './shape.js';
import { meaningBytes, TILE } from './stream.js';
import { KvTraining } from './training.js';
import { withKernels } from './work-kernels.js';

/** Tokens of a cache that bits and steps are fitted to; with fewer they stay those of the model. */
const SAMPLED = { least: 64, most: 256 };
/** Rounds in which the components of an own basis and the bytes that are left for its codes agree. */
const ROUNDS = 3;

/** How some tokens are coded with some bases. */
interface Coding {
  readonly bases: KvBases;
  readonly isOwn: boolean;
  readonly exact: readonly ReadonlySet<number>[];
  readonly samples: readonly Sample[] | undefined;
  readonly plan: KvPlan;
  /** Expected squared error of a token. */
  readonly error: number;
}

/** A first segment that has all tokens, coded within the budget. */
export function* compressSteps(
  rows: KvRows,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  shared: KvBases | undefined,
): Steps<KvSegment> {
  const coding = yield* chooseCodingSteps(rows, kv, budget, shared);
  const { bases, plan, samples, isOwn, exact } = coding;
  const exponents: Int8Array[] = [];
  for (const [i, basis] of bases.entries()) {
    const sample = samples?.[i];
    const none = () => new Int8Array(plan[i]!.length);
    exponents.push(sample === undefined ? none() : fitExponents(basis, plan[i]!, sample));
    yield;
  }
  const used = isOwn ? yield* truncateBases(bases, plan) : bases;
  const fill = fillFrom(rows, used);
  const segment = withExact(newSegment(0, used, plan, exponents, isOwn), exact, fill);
  yield;
  return yield* codeTokensSteps(segment, rows.tokens, exact, fill);
}

/** With the shared bases or with own ones; with `auto` the one that is expected to have less error. */
function* chooseCodingSteps(
  rows: KvRows,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  shared: KvBases | undefined,
): Steps<Coding> {
  if (shared === undefined || budget.basis === 'own') {
    return yield* planSteps(rows, kv, budget, yield* ownBasesSteps(rows, kv), true, false);
  }
  const calibrated = yield* planSteps(rows, kv, budget, shared, false, false);
  if (budget.basis === 'calibrated' || rows.tokens <= kv.sinks) return calibrated;
  const halves = shared.reduce((sum, basis) => sum + basisBytes(basis, basis.rank / 2), 0);
  if (2 * halves > totalBits(rows.tokens, kv, budget) / 8) return calibrated;
  const own = yield* planSteps(rows, kv, budget, yield* ownBasesSteps(rows, kv), true, true);
  return own.error < calibrated.error ? own : calibrated;
}

/** The basis of the tokens themselves. */
function* ownBasesSteps(rows: KvRows, kv: ResolvedKv): Steps<KvBases> {
  if (rows.tokens <= kv.sinks) {
    const expected = `more than the ${kv.sinks} sinks, to have a basis of their own`;
    throw outOfRange('tokens', expected, rows.tokens);
  }
  const training = new KvTraining(kv);
  yield* training.addSteps(rows);
  return yield* training.finishSteps();
}

function* planSteps(
  rows: KvRows,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  bases: KvBases,
  isOwn: boolean,
  isCounted: boolean,
): Steps<Coding> {
  const fill = fillFrom(rows, bases);
  const sinks = Array.from({ length: Math.min(kv.sinks, rows.tokens) }, (_, i) => i);
  const exact: ReadonlySet<number>[] = [];
  for (const [i, basis] of bases.entries()) {
    const unusual = yield* unusualTokens(basis, rows.tokens, (token, row) => fill(i, token, row));
    exact.push(new Set([...sinks, ...unusual]));
  }
  const samples = yield* samplesSteps(rows.tokens, bases, exact, fill);
  const variances = bases.map((basis, i) => expectedVariances(basis, samples?.[i]));
  const meaning = bases.reduce((sum, { rank }) => sum + 8 * meaningBytes(rank), 0);
  const apart = exactBits(bases, exact) + meaning;
  if (budget.bytes !== undefined && 8 * budget.bytes < apart) {
    const least = `at least ${Math.ceil(apart / 8)}, which the exact tokens take`;
    throw outOfRange('bytes', least, budget.bytes);
  }
  let plan = choosePlan(rows.tokens, kv, budget, variances, apart);
  for (let round = 0; isCounted && round < ROUNDS; round++) {
    const bytes = bases.reduce((sum, basis, i) => sum + basisBytes(basis, plan[i]!.length), 0);
    plan = choosePlan(rows.tokens, kv, budget, variances, apart + 8 * bytes);
  }
  return { bases, isOwn, exact, samples, plan, error: expectedError(variances, plan) };
}

/**
 * Coefficients of tokens from all over the cache, by which bits and steps are fitted to it; undefined
 * where there are too few.
 */
function* samplesSteps(
  tokens: number,
  bases: KvBases,
  exact: readonly ReadonlySet<number>[],
  fill: FillRow,
): Steps<Sample[] | undefined> {
  if (tokens < SAMPLED.least) return undefined;
  const samples: Sample[] = [];
  for (const [i, basis] of bases.entries()) {
    const all = Array.from({ length: tokens }, (_, token) => token);
    const usual = all.filter((token) => !exact[i]!.has(token));
    const count = Math.min(SAMPLED.most, usual.length);
    const chosen = Array.from({ length: count }, (_, at) => {
      return usual[Math.floor(((at + 0.5) * usual.length) / count)]!;
    });
    samples.push(
      yield* withKernels((kernels) =>
        sampleSteps(kernels, basis, count, (at, row) => fill(i, chosen[at]!, row)),
      ),
    );
  }
  return samples;
}

/** Variances of the coefficients to come: as in the training data and in the sample, half each. */
function expectedVariances(basis: KvBasis, sample: Sample | undefined): Float64Array {
  if (sample === undefined) return basis.variances;
  const found = secondMoments(sample);
  return basis.variances.map((variance, i) => 0.5 * (variance + found[i]!));
}

function* truncateBases(bases: KvBases, plan: KvPlan): Steps<KvBases> {
  const kept: KvBasis[] = [];
  for (const [i, basis] of bases.entries()) {
    kept.push(yield* truncateSteps(basis, plan[i]!.length));
  }
  return kept;
}

/** Bits of all tokens; an empty cache is planned as if it had a tile. */
function totalBits(
  tokens: number,
  { layers, bitsPerNumber, ...shape }: ResolvedKv,
  budget: ResolvedCompress,
): number {
  if (budget.bytes !== undefined) return budget.bytes * 8;
  const numbers = 2 * layers * widthOf({ layers, ...shape });
  return (budget.bitsPerNumber ?? bitsPerNumber) * numbers * (tokens || TILE);
}

/**
 * Widths within the budget, of which `apart` bits are needed for others; of bits a number these take at
 * most half, as a short cache would be nothing but its exact tokens.
 */
function choosePlan(
  tokens: number,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  variances: readonly Float64Array[],
  apart: number,
): KvPlan {
  if (budget.error !== undefined) {
    return planBits(variances, bitsForError(variances, budget.error ** 2 * 2 * kv.layers));
  }
  const total = totalBits(tokens, kv, budget);
  const slots = Math.max(1, Math.ceil(tokens / TILE)) * TILE;
  const least = budget.bytes === undefined ? total / 2 : 0;
  return planBits(variances, Math.floor(Math.max(least, total - apart) / slots));
}
