import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { reflectFour } from './householder.js';
import type { RecordedQl } from './implicit-ql.js';

/** The columns of a panel of rotatePanel (wasm/eigen.ts). */
const PANEL = 8;
/** Rotations that one kernel call handles: below 1 ms. */
const ROTATIONS_PER_CALL = 150_000;

/** Reflectors in the memory of the kernels, as tridiagonaliseSteps leaves them. */
export interface Reflectors {
  readonly pointer: number;
  readonly n: number;
  readonly stride: number;
}

/**
 * Eigenvectors Q S e_j for the wanted indices j of the recorded QL iteration: the rotations are
 * replayed backwards on eight unit vectors at a time, then come the reflectors. Costs a share of
 * wanted.length / n of all eigenvectors, and they are orthonormal to rounding however close the
 * eigenvalues are, unlike those of inverse iteration.
 *
 * @returns wanted.length × n, row r the unit eigenvector of value wanted[r].
 */
export function* eigenvectorSteps(
  kernels: Kernels,
  reflectors: Reflectors,
  ql: RecordedQl,
  wanted: Uint32Array,
): Steps<Float64Array> {
  const { n, stride } = reflectors;
  const mark = kernels.mark();
  const sweeps = kernels.alloc(ql.sweeps.byteLength);
  const panel = kernels.alloc(n * PANEL * 8);
  const rows = kernels.alloc(PANEL * stride * 8);
  kernels.u32(sweeps, ql.sweeps.length).set(ql.sweeps);
  // Rows 0 and 1 hold no reflector: there is nothing to eliminate in a vector of one number.
  const first = reflectors.pointer + 2 * stride * 8;
  const sequence = { pointer: first, step: stride, length: 2, growth: 1, count: n - 2 } as const;
  const result = new Float64Array(wanted.length * n);
  // Values found early need few sweeps: neighbours in this order share a panel.
  const order = Uint32Array.from(wanted.keys()).sort((a, b) => wanted[a]! - wanted[b]!);
  for (let start = 0; start < order.length; start += PANEL) {
    const group = order.subarray(start, start + PANEL);
    setUnitVectors(kernels.f64(panel, n * PANEL), group, wanted);
    yield* replaySteps(kernels, ql, wanted[group[group.length - 1]!]!, panel, sweeps);
    unpackPanel(kernels.f64(panel, n * PANEL), n, kernels.f64(rows, PANEL * stride), stride);
    for (let four = 0; four < group.length; four += 4) {
      yield* reflectFour(kernels, rows + four * stride * 8, stride, sequence);
    }
    const vectors = kernels.f64(rows, PANEL * stride);
    group.forEach((r, i) => {
      result.set(vectors.subarray(i * stride, i * stride + n), r * n);
    });
  }
  kernels.release(mark);
  return result;
}

function setUnitVectors(panel: Float64Array, group: Uint32Array, wanted: Uint32Array): void {
  panel.fill(0);
  group.forEach((r, column) => {
    panel[wanted[r]! * PANEL + column] = 1;
  });
}

function* replaySteps(
  kernels: Kernels,
  ql: RecordedQl,
  last: number,
  panel: number,
  sweeps: number,
): Steps<void> {
  const sweepsPerCall = Math.ceil(ROTATIONS_PER_CALL / ql.values.length);
  let end = ql.rotations + ql.rotationsUntil[last]! * 16;
  for (let left = ql.sweepsUntil[last]!; left > 0; left -= sweepsPerCall) {
    const count = Math.min(left, sweepsPerCall);
    end = kernels.call.rotatePanel(panel, sweeps + left * 8, count, end);
    yield;
  }
}

function unpackPanel(panel: Float64Array, n: number, rows: Float64Array, stride: number): void {
  rows.fill(0);
  for (let i = 0; i < n; i++) {
    for (let column = 0; column < PANEL; column++) {
      rows[column * stride + i] = panel[i * PANEL + column]!;
    }
  }
}
