import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { MAGNITUDE_MAX } from '../graph/rows.js';
import type { Scorer } from '../store/scorers.js';

/** A vector that is 0 but at these indices, each once. */
export interface SparseVector {
  /** From 0 to 2^32 − 1. */
  indices: Uint32Array | readonly number[];
  values: Float32Array | readonly number[];
}

/**
 * Sparse vectors are kept and moved as rows of two numbers, by ascending index: the index, as the 32
 * bits of an unsigned integer, and the value. These bits are only ever copied, never read as a float.
 */
export const PAIR_NUMBERS = 2;

const ENTRIES_MAX = 65_536;
const INDEX_MAX = 0xffff_ffff;

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for what has no such number */
export function checkEntries(what: string, value: unknown): number {
  checkOptions(what, value, ['indices', 'values']);
  const { indices, values } = value as Record<string, unknown>;
  if (!(indices instanceof Uint32Array) && !Array.isArray(indices)) {
    throw wrongType(`${what}.indices`, 'an array or Uint32Array', indices);
  }
  if (!(values instanceof Float32Array) && !Array.isArray(values)) {
    throw wrongType(`${what}.values`, 'an array or Float32Array', values);
  }
  if (values.length !== indices.length) {
    throw wrongDimension(`${what}.values`, indices.length, values.length);
  }
  return checkInteger(`the number of indices of ${what}`, indices.length, 1, ENTRIES_MAX);
}

/**
 * Copies the pairs of a sparse vector to the begin of `into`, checked, by ascending index.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong, also for an index given twice
 */
export function copyPairs(
  what: string,
  { indices, values }: SparseVector,
  into: Float32Array,
): void {
  const bits = indexBits(into);
  const order = [...indices.keys()].sort((a, b) => indices[a]! - indices[b]!);
  for (const [to, from] of order.entries()) {
    const index = checkInteger(`${what}.indices[${from}]`, indices[from], 0, INDEX_MAX);
    if (to > 0 && index === indices[order[to - 1]!]) {
      throw outOfRange(`${what}.indices[${from}]`, 'different from the others', index);
    }
    const value: unknown = values[from];
    if (typeof value !== 'number') throw wrongType(`${what}.values[${from}]`, 'a number', value);
    if (!(Math.abs(value) <= MAGNITUDE_MAX)) {
      throw outOfRange(`${what}.values[${from}]`, `a finite number up to ${MAGNITUDE_MAX}`, value);
    }
    bits[PAIR_NUMBERS * to] = index;
    into[PAIR_NUMBERS * to + 1] = value;
  }
}

/** The numbers as bits: those at even places are the indices of pairs. */
export function indexBits({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

/** Pairs as callers get them. */
export function asSparse(pairs: Float32Array): { indices: Uint32Array; values: Float32Array } {
  const isFirst = (_: number, i: number) => i % PAIR_NUMBERS === 0;
  return {
    indices: indexBits(pairs).filter(isFirst),
    values: pairs.filter((_, i) => !isFirst(_, i)),
  };
}

/** Inner products with the pairs of others. */
export function sparseScorer(query: Float32Array): Scorer {
  const { indices, values } = asSparse(query);
  const weights = new Map(Array.from(indices, (index, i) => [index, values[i]!]));
  return (pairs) => {
    const bits = indexBits(pairs);
    let sum = 0;
    for (let i = 0; i < pairs.length; i += PAIR_NUMBERS) {
      sum += (weights.get(bits[i]!) ?? 0) * pairs[i + 1]!;
    }
    return sum;
  };
}
