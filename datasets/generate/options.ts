import { checkInteger } from '../../src/base/check.js';
import { outOfRange, wrongType } from '../../src/base/errors.js';

/** What every generator takes. */
export type GeneratorOptions = {
  /** Rows of the corpus. */
  readonly count: number;
  /** Rows of the queries. */
  readonly queries: number;
  readonly dimensions: number;
  /** Any uint32; the same options and seed give the same bytes. */
  readonly seed: number;
  /** Scale every row to unit length; without it rows have a mean square length of about 1. */
  readonly normalise?: boolean;
};

/** What every generator gives: rows one after another. */
export type Generated = {
  /** `count * dimensions` numbers. */
  readonly corpus: Float32Array;
  /** `queries * dimensions` numbers. */
  readonly queries: Float32Array;
  readonly dimensions: number;
};

const MAX_UINT32 = 2 ** 32 - 1;

/** Throws TypeError or RangeError for options that no generator can work with. */
export function checkCommon(options: GeneratorOptions): void {
  checkInteger('count', options.count, 0, MAX_UINT32);
  checkInteger('queries', options.queries, 0, MAX_UINT32);
  checkInteger('dimensions', options.dimensions, 1, 65_536);
  checkInteger('seed', options.seed, 0, MAX_UINT32);
}

/** Throws unless the value is a finite number in [min, below). */
export function checkNumber(what: string, value: number, min: number, below: number): void {
  const expected = below === Infinity ? `a number from ${min} on` : `in [${min}, ${below})`;
  if (typeof value !== 'number') throw wrongType(what, expected, value);
  if (!(value >= min && value < below)) throw outOfRange(what, expected, value);
}
