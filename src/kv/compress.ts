import { checkInteger, checkOneOf } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { halvesSteps, type KvBases, type KvBasis, truncateSteps } from './basis.js';
import { fitExponents, type Sample, sampleSteps, secondMoments } from './fit.js';
import { checkBetween, checkBits, type ResolvedKv } from './options.js';
import { bitsForError, type KvPlan, planBits } from './plan.js';
import {
  codeTokensSteps,
  copyToken,
  exactBits,
  type KvSegment,
  newSegment,
  rowOf,
  unusualTokens,
} from './segment.js';
import { type KvRows, widthOf } from './shape.js';
import { meaningBytes, TILE } from './stream.js';
import { KvTraining } from './training.js';
import { withKernels } from './work-kernels.js';

/** Tokens of a cache that bits and steps are fitted to; with fewer they stay those of the model. */
const SAMPLED = { least: 64, most: 256 };

/** Whose basis a cache is coded with; `auto`: what has less error at equal bytes, basis counted. */
export type KvBasisChoice = 'calibrated' | 'own' | 'auto';

/** How large a cache may get: at the most one of these. */
export interface KvBudget {
  /** Stored bits for each number, exact tokens included. Default: that of the model. */
  bitsPerNumber?: number;
  /** Bytes of all tokens, exact ones included. */
  bytes?: number;
  /** Expected error of a layer's values, and keyWeight times that of its keys, relative. */
  error?: number;
}

export interface CompressOptions extends KvBudget {
  basis?: KvBasisChoice;
  /** How many of the tokens that are appended stay exact, the most recent ones. Default 64. */
  recent?: number;
}

export const COMPRESS_OPTIONS = [
  'basis',
  'recent',
  'bitsPerNumber',
  'bytes',
  'error',
] as const satisfies readonly (keyof CompressOptions)[];

export type ResolvedCompress = KvBudget & { basis: KvBasisChoice; recent: number };

/** @throws TypeError, RangeError `INVALID_ARGUMENT` */
export function resolveCompress(options: CompressOptions, basis: KvBasisChoice): ResolvedCompress {
  const { bitsPerNumber, bytes, error } = options;
  if ([bitsPerNumber, bytes, error].filter((x) => x !== undefined).length > 1) {
    throw outOfRange('the budget', 'one of bitsPerNumber, bytes and error', 'more of them');
  }
  return {
    basis: checkOneOf('basis', options.basis ?? basis, ['calibrated', 'own', 'auto']),
    recent: checkInteger('recent', options.recent ?? 64, 0, 2 ** 20),
    bitsPerNumber: bitsPerNumber === undefined ? undefined : checkBits(bitsPerNumber),
    bytes: bytes === undefined ? undefined : checkInteger('bytes', bytes, 1, 2 ** 52),
    error: error === undefined ? undefined : checkBetween('error', error, 1e-4, 1),
  };
}

/** A first segment that has all tokens, coded within the budget. */
export function* compressSteps(
  rows: KvRows,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  bases: KvBases,
  isOwn: boolean,
): Steps<KvSegment> {
  const exact: Set<number>[] = [];
  for (const basis of bases) {
    const sinks = Array.from({ length: Math.min(kv.sinks, rows.tokens) }, (_, i) => i);
    const unusual = yield* unusualTokens(rows, basis, kv.sinks);
    exact.push(new Set([...sinks, ...unusual]));
  }
  const samples = yield* samplesSteps(rows, bases, exact);
  const variances = bases.map((basis, i) => expectedVariances(basis, samples?.[i]));
  const plan = choosePlan(rows.tokens, kv, budget, bases, variances, exactBits(bases, exact));
  const exponents: Int8Array[] = [];
  for (const [i, basis] of bases.entries()) {
    const sample = samples?.[i];
    const isFitted = sample !== undefined;
    exponents.push(
      isFitted ? fitExponents(basis, plan[i]!, sample) : new Int8Array(plan[i]!.length),
    );
    yield;
  }
  const used = isOwn ? yield* truncateBases(bases, plan) : bases;
  const segment = newSegment(0, used, plan, exponents, isOwn);
  for (const [i, stream] of segment.streams.entries()) {
    yield* withKernels(function* (kernels) {
      for (const token of [...exact[i]!].sort((a, b) => a - b)) {
        const row = rowOf(rows, stream.basis, token);
        stream.exact.set(token, yield* halvesSteps(kernels, row));
      }
    });
  }
  yield* codeTokensSteps(segment, rows, rows.tokens, exact);
  return segment;
}

/**
 * Coefficients of tokens from all over the cache, by which bits and steps are fitted to it; undefined
 * where there are too few.
 */
function* samplesSteps(
  rows: KvRows,
  bases: KvBases,
  exact: readonly ReadonlySet<number>[],
): Steps<Sample[] | undefined> {
  if (rows.tokens < SAMPLED.least) return undefined;
  const samples: Sample[] = [];
  for (const [i, basis] of bases.entries()) {
    const usual = Array.from({ length: rows.tokens }, (_, token) => token).filter(
      (token) => !exact[i]!.has(token),
    );
    const count = Math.min(SAMPLED.most, usual.length);
    const tokens = Array.from({ length: count }, (_, at) => {
      return usual[Math.floor(((at + 0.5) * usual.length) / count)]!;
    });
    samples.push(
      yield* withKernels((kernels) =>
        sampleSteps(kernels, basis, count, (at, row) => copyToken(rows, basis, tokens[at]!, row)),
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

/** The basis of the tokens themselves. */
export function* ownBasesSteps(rows: KvRows, kv: ResolvedKv): Steps<KvBases> {
  const training = new KvTraining(kv);
  yield* training.addSteps(rows);
  return yield* training.finishSteps();
}

function* truncateBases(bases: KvBases, plan: KvPlan): Steps<KvBases> {
  const kept = [];
  for (const [i, basis] of bases.entries()) {
    kept.push(yield* truncateSteps(basis, plan[i]!.length));
  }
  return kept;
}

/** Widths within the budget, of which exact tokens take at most half. */
function choosePlan(
  tokens: number,
  kv: ResolvedKv,
  budget: ResolvedCompress,
  bases: KvBases,
  variances: readonly Float64Array[],
  exact: number,
): KvPlan {
  const slots = Math.max(1, Math.ceil(tokens / TILE)) * TILE;
  const numbers = 2 * kv.layers * widthOf(kv);
  if (budget.error !== undefined) {
    return planBits(variances, bitsForError(variances, budget.error ** 2 * 2 * kv.layers));
  }
  const bits = budget.bitsPerNumber ?? kv.bitsPerNumber;
  const total = budget.bytes === undefined ? bits * numbers * (tokens || TILE) : budget.bytes * 8;
  const meaning = bases.reduce((sum, { rank }) => sum + 8 * meaningBytes(rank), 0);
  return planBits(variances, Math.floor(Math.max(total / 2, total - exact - meaning) / slots));
}
