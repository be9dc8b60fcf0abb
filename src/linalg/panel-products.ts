import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';

/** Columns of a panel of the float32 products (wasm/matrix.ts). */
export const PANEL = 8;
/** Multiplications that one kernel call does: about 1 ms. */
const PRODUCTS_PER_CALL = 20_000_000;

/** A row-major float32 or float64 matrix in the memory of the kernels. */
export interface Block {
  readonly pointer: number;
  readonly rows: number;
  /** Numbers from one row to the next. */
  readonly stride: number;
}

/** multiplyPanels in pieces: out = a · B, B given as `panels` panels of `depth` rows at b. */
export function* multiplyPanelsSteps(
  kernels: Kernels,
  a: Block,
  depth: number,
  b: number,
  panels: number,
  out: Block,
): Steps<void> {
  const perCall = Math.max(1, Math.floor(PRODUCTS_PER_CALL / (a.rows * depth * PANEL)));
  for (let first = 0; first < panels; first += perCall) {
    const size = Math.min(perCall, panels - first);
    kernels.call.multiplyPanels(
      a.pointer,
      a.stride,
      a.rows,
      depth,
      b + first * depth * PANEL * 4,
      size,
      out.pointer + first * PANEL * 4,
      out.stride,
    );
    yield;
  }
}

/**
 * accumulateOuter in pieces: c += Aᵀ B in float64, a and b packed panels of `depth` rows; c has
 * 8 · panelsA rows and `stride` numbers from one to the next.
 */
export function* accumulateOuterSteps(
  kernels: Kernels,
  a: number,
  panelsA: number,
  b: number,
  panelsB: number,
  depth: number,
  c: number,
  stride: number,
): Steps<void> {
  const perCall = Math.max(1, Math.floor(PRODUCTS_PER_CALL / (panelsA * depth * PANEL * PANEL)));
  for (let first = 0; first < panelsB; first += perCall) {
    const size = Math.min(perCall, panelsB - first);
    const from = b + first * depth * PANEL * 4;
    const column = c + first * PANEL * 8;
    kernels.call.accumulateOuter(a, panelsA, from, size, depth, column, stride, 0);
    yield;
  }
}

/** The same for b = a, on and above the diagonal only. */
export function* accumulateSquareSteps(
  kernels: Kernels,
  a: number,
  panels: number,
  depth: number,
  c: number,
  stride: number,
): Steps<void> {
  const { accumulateOuter } = kernels.call;
  for (let first = 0; first < panels; ) {
    // Column q has q + 1 blocks: so many columns from `first` on come to the wanted area.
    const area = PRODUCTS_PER_CALL / (depth * PANEL * PANEL);
    const wish = Math.floor(Math.sqrt(first * first + 2 * area) - first);
    const size = Math.min(panels - first, Math.max(1, wish));
    const from = a + first * depth * PANEL * 4;
    const column = c + first * PANEL * 8;
    const corner = column + first * PANEL * stride * 8;
    accumulateOuter(a, first, from, size, depth, column, stride, 0);
    accumulateOuter(from, size, from, size, depth, corner, stride, 1);
    first += size;
    yield;
  }
}
