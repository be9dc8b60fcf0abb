import { outOfRange, wrongDimension, wrongType } from './errors.js';

/** @throws TypeError, RangeError `INVALID_ARGUMENT` unless value is an integer in [least, most]. */
export function checkInteger(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(what, `an integer from ${least} to ${most}`, value);
  }
  return value;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` unless value is one of those allowed. */
export function checkOneOf<T>(what: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw outOfRange(what, allowed.join(' or '), value);
  return value as T;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` unless value is an object of known names. */
export function checkOptions(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(what, 'an object', value);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      throw outOfRange(`an option of ${what}`, `one of ${known.join(', ')}`, name);
    }
  }
}

/**
 * The number of rows of a row-major matrix.
 * @throws TypeError unless value is a Float32Array; RangeError `DIMENSION_MISMATCH` unless its
 * length is a multiple of `dimensions`.
 */
export function checkRows(what: string, value: unknown, dimensions: number): number {
  if (!(value instanceof Float32Array)) {
    throw wrongType(what, `a Float32Array of rows of ${dimensions} numbers`, value);
  }
  if (value.length % dimensions !== 0) {
    throw wrongDimension(what, `a multiple of ${dimensions}`, value.length);
  }
  return value.length / dimensions;
}

/** @throws TypeError, RangeError unless value is a Float32Array of `dimensions` numbers. */
export function checkVector(what: string, value: unknown, dimensions: number): Float32Array {
  if (!(value instanceof Float32Array)) {
    throw wrongType(what, `a Float32Array of ${dimensions} numbers`, value);
  }
  if (value.length !== dimensions) throw wrongDimension(what, dimensions, value.length);
  return value;
}

/** @throws RangeError `INVALID_ARGUMENT` for a NaN or infinity in rows of `dimensions` numbers. */
export function checkFinite(what: string, rows: Float32Array, dimensions: number): void {
  const bad = rows.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw notFinite(what, Math.floor(bad / dimensions), bad % dimensions, rows[bad]!);
}

/** The error for a NaN or infinity, naming its row and column (both from 0). */
export function notFinite(what: string, row: number, column: number, value: number): Error {
  return outOfRange(`${what} at row ${row}, column ${column}`, 'a finite number', value);
}

/** The error for a vector so far from the trained data that its codes' constants overflow. */
export function tooLarge(what: string, row: number): Error {
  return outOfRange(
    `${what} at row ${row}`,
    'within 65,504 times the size of the vectors trained on',
    'larger numbers',
  );
}
