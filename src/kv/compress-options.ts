import { checkInteger, checkOneOf } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import { checkBetween, checkBits } from './options.js';

/** Whose basis a cache is coded with; `auto`: what has less error at equal bytes, basis counted. */
export type KvBasisChoice = 'calibrated' | 'own' | 'auto';

/** How large a cache may get: at the most one of these. */
export interface KvBudget {
  /**
   * Stored bits for each number, exact tokens included, of which at least half are for codes. Default:
   * that of the model.
   */
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
  /**
   * Appended tokens get bases of their own, made from those there are, once these miss so many times
   * the share of energy that they missed at first, where the new bases take less than half as many
   * bytes as the tokens do. Default 2; Infinity for never.
   */
  refresh?: number;
}

export const COMPRESS_OPTIONS = [
  'basis',
  'recent',
  'refresh',
  'bitsPerNumber',
  'bytes',
  'error',
] as const satisfies readonly (keyof CompressOptions)[];

export type ResolvedCompress = KvBudget & {
  basis: KvBasisChoice;
  recent: number;
  refresh: number;
};

/** @throws TypeError, RangeError `INVALID_ARGUMENT` */
export function resolveCompress(options: CompressOptions, basis: KvBasisChoice): ResolvedCompress {
  const { bitsPerNumber, bytes, error } = options;
  if ([bitsPerNumber, bytes, error].filter((x) => x !== undefined).length > 1) {
    throw outOfRange('the budget', 'one of bitsPerNumber, bytes and error', 'more of them');
  }
  return {
    basis: checkOneOf('basis', options.basis ?? basis, ['calibrated', 'own', 'auto']),
    recent: checkInteger('recent', options.recent ?? 64, 0, 2 ** 20),
    refresh: checkBetween('refresh', options.refresh ?? 2, 1, Infinity),
    bitsPerNumber: bitsPerNumber === undefined ? undefined : checkBits(bitsPerNumber),
    bytes: bytes === undefined ? undefined : checkInteger('bytes', bytes, 1, 2 ** 52),
    error: error === undefined ? undefined : checkBetween('error', error, 1e-4, 1),
  };
}
