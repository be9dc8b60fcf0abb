import { notFinite, tooLarge } from '../base/check.js';
import { outOfRange, wrongDimension } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { isRotated } from '../quant/layout.js';
import type { NodeLayout } from './memory.js';

/** binary16 holds up to 65,504; codes are in units of the training data (IndexModel.unit). */
const UNITS_MAX = 60_000;
/** Rows that are checked between two yields. */
const ROWS_PER_STEP = 256;

/**
 * Checks rows before anything is changed.
 * @throws RangeError `INVALID_ARGUMENT` naming row and column of a NaN or infinity, the row of a
 * zero vector under cosine, or a row too far from the training data for the codes.
 */
export function* checkRowValues(
  vectors: Float32Array,
  layout: Omit<NodeLayout, 'm'>,
  what = 'vectors',
): Steps<void> {
  const { dimensions, distance, model } = layout;
  // Under cosine vectors have unit length, and the model's unit makes room for all of those.
  const limit = distance === 'Cosine' || model === undefined ? Infinity : UNITS_MAX * model.unit;
  // The rotation spreads a vector over its coordinates: none gets six times the average's share.
  const rotated = model !== undefined && isRotated(dimensions, model.secondaryBits);
  const lengthLimit = rotated ? (limit * Math.sqrt(dimensions)) / 6 : Infinity;
  const count = vectors.length / dimensions;
  for (let row = 0; row < count; row++) {
    const first = row * dimensions;
    let largest = 0;
    let squares = 0;
    for (let i = first; i < first + dimensions; i++) {
      const magnitude = Math.abs(vectors[i]!);
      squares += magnitude * magnitude;
      if (!(magnitude < Infinity)) throw notFinite(what, row, i - first, vectors[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    if (largest === 0 && distance === 'Cosine') throw noDirection(what, row);
    if (largest > limit || Math.sqrt(squares) > lengthLimit) throw tooLarge(what, row);
    if (largest > MAGNITUDE_MAX && distance !== 'Cosine') throw tooLong(what, row);
    if (row % ROWS_PER_STEP === 0) yield;
  }
}

/** The square of a vector's length, and of a distance, must stay within float32. */
export const MAGNITUDE_MAX = 1e15;

/** The error for numbers whose squares leave float32. */
export function tooLong(what: string, row: number): Error {
  return outOfRange(`${what} at row ${row}`, `of numbers up to ${MAGNITUDE_MAX}`, 'larger numbers');
}

/** A zero vector has no cosine with anything. */
export function noDirection(what: string, row: number): Error {
  return outOfRange(`${what} at row ${row}`, 'a vector with a direction (Cosine)', 'only zeros');
}

/** Rows are read while the event loop turns: an array that was transferred meanwhile is empty. */
export function requireUnchanged(vectors: Float32Array, length: number): void {
  if (vectors.length < length) {
    throw wrongDimension('vectors, changed while they were being added,', length, vectors.length);
  }
}
