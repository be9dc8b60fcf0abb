import type { Steps } from '../base/steps.js';

/** Numbers between two looks at the time. */
const NUMBERS_PER_STEP = 1 << 16;

/** Rows of `size` numbers, each divided by its length; rows of zeros stay as they are. */
export function* unitRows(rows: Float32Array, size: number): Steps<Float32Array> {
  const unit = new Float32Array(rows.length);
  let sinceStep = 0;
  for (let from = 0; from < rows.length; from += size) {
    let squares = 0;
    for (let i = from; i < from + size; i++) squares += rows[i]! * rows[i]!;
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let i = from; i < from + size; i++) unit[i] = rows[i]! * scale;
    sinceStep += size;
    if (sinceStep < NUMBERS_PER_STEP) continue;
    sinceStep = 0;
    yield;
  }
  return unit;
}
