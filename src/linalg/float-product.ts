import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { multiplyPanelsSteps, PANEL } from './panel-products.js';

/** Rows that a plain loop handles between two yields. */
const ROWS_PER_STEP = 32;

/** A d × d symmetric matrix in float32, as panels in the memory of the kernels. */
export interface FloatMatrix {
  readonly pointer: number;
  readonly d: number;
  /** Floats from one row of a block of vectors to the next: d rounded up to whole panels. */
  readonly stride: number;
}

/** Packs matrix / scale (row-major float64) as float32 panels. */
export function* packFloatMatrix(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  scale: number,
): Steps<FloatMatrix> {
  const stride = alignUp(d, PANEL);
  const pointer = kernels.alloc(d * stride * 4);
  for (let column = 0; column < stride; column += PANEL) {
    const panel = kernels.f32(pointer + column * d * 4, d * PANEL);
    const width = Math.min(PANEL, d - column);
    panel.fill(0);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < width; j++) panel[i * PANEL + j] = matrix[i * d + column + j]! / scale;
    }
    yield;
  }
  return { pointer, d, stride };
}

/** out = rows · A for `count` float32 rows at `rows` (matrix.stride apart, as are those of out). */
export function* multiplyRows(
  kernels: Kernels,
  matrix: FloatMatrix,
  rows: number,
  count: number,
  out: number,
): Steps<void> {
  const { pointer, d, stride } = matrix;
  const a = { pointer: rows, rows: count, stride };
  const to = { pointer: out, rows: count, stride };
  yield* multiplyPanelsSteps(kernels, a, d, pointer, stride / PANEL, to);
}

/** Calls `fill` for each of `count` float32 rows at `pointer`, with its d numbers. */
export function* eachRow(
  kernels: Kernels,
  matrix: FloatMatrix,
  pointer: number,
  count: number,
  fill: (row: Float32Array, index: number) => void,
): Steps<void> {
  const { d, stride } = matrix;
  for (let i = 0; i < count; i++) {
    fill(kernels.f32(pointer + i * stride * 4, d), i);
    if (i % ROWS_PER_STEP === 0) yield;
  }
}
