import { LeandexError } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import type { Tridiagonal } from './tridiagonal.js';

/** T = S Λ Sᵀ, S the product of all rotations in the order of their recording. */
export interface RecordedQl {
  /** The eigenvalues in the order in which they were found. */
  readonly values: Float64Array;
  /** Pairs (first, last) of each sweep: rotations of (i, i + 1) for i = last − 1 … first. */
  readonly sweeps: Uint32Array;
  /** Address of the pairs (c, s) of all rotations, float64, in the memory of the kernels. */
  readonly rotations: number;
  /** sweepsUntil[j]: number of sweeps when value j was found; later ones leave it alone. */
  readonly sweepsUntil: Uint32Array;
  /** rotationsUntil[j]: number of rotations of those sweeps. */
  readonly rotationsUntil: Uint32Array;
}

const EPSILON = 2 ** -53;
/** Below it, squares lose digits; as a part of T, whose norm is about 1, it is nothing. */
const VANISHING = 2 ** -400;
/** Rotations lie without gaps: this size is also their alignment. */
const PAIR_BYTES = 16;
/** As in EISPACK; the mean over a spectrum is below 2. */
const SWEEPS_PER_VALUE_MAX = 30;

/**
 * Eigenvalues of a symmetric tridiagonal matrix by the QL algorithm with implicit Wilkinson shifts
 * (imtql2 of EISPACK: Dubrulle 1970; Martin, Wilkinson 1968). Instead of rotating eigenvectors it
 * records the rotations, so that they can be replayed on just the wanted vectors, in order of
 * memory. Off-diagonals up to 2^-53 · ‖T‖ count as 0: eigenvalues are within a modest multiple of
 * that. Overwrites its argument.
 *
 * @throws LeandexError `INTERNAL` if an eigenvalue takes more than 30 sweeps; none is known to.
 */
export function* recordQlSteps(
  kernels: Kernels,
  { diagonal, offDiagonal }: Tridiagonal,
): Steps<RecordedQl> {
  const n = diagonal.length;
  const negligible = EPSILON * norm(diagonal, offDiagonal);
  const rotations = kernels.alloc(0, PAIR_BYTES);
  const sweeps = new Uint32Array(2 * SWEEPS_PER_VALUE_MAX * n);
  const sweepsUntil = new Uint32Array(n);
  const rotationsUntil = new Uint32Array(n);
  let sweepCount = 0;
  for (let first = 0; first < n; first++) {
    for (let tries = 0; ; tries++) {
      let last = first;
      while (last < n - 1 && Math.abs(offDiagonal[last]!) > negligible) last++;
      if (last === first) break;
      if (tries === SWEEPS_PER_VALUE_MAX) {
        throw new LeandexError('INTERNAL', `eigenvalue ${first} of ${n} does not converge`);
      }
      const reached = sweep(kernels, diagonal, offDiagonal, first, last);
      sweeps[2 * sweepCount] = reached;
      sweeps[2 * sweepCount + 1] = last;
      sweepCount++;
      yield;
    }
    sweepsUntil[first] = sweepCount;
    rotationsUntil[first] = (kernels.mark() - rotations) / PAIR_BYTES;
  }
  const used = sweeps.subarray(0, 2 * sweepCount);
  return { values: diagonal, sweeps: used, rotations, sweepsUntil, rotationsUntil };
}

function norm(diagonal: Float64Array, offDiagonal: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < diagonal.length; i++) {
    largest = Math.max(largest, Math.abs(diagonal[i]!) + Math.abs(offDiagonal[i]!));
  }
  return largest;
}

/**
 * One implicit QL sweep on rows first … last, its rotations allocated behind those before.
 * Returns where the sweep ended: first, or the row from which the matrix has come apart.
 */
function sweep(
  kernels: Kernels,
  d: Float64Array,
  e: Float64Array,
  first: number,
  last: number,
): number {
  const pointer = kernels.alloc((last - first) * PAIR_BYTES, PAIR_BYTES);
  const rotations = kernels.f64(pointer, 2 * (last - first));
  const ratio = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const root = Math.sqrt(ratio * ratio + 1);
  let g = d[last]! - d[first]! + e[first]! / (ratio + (ratio < 0 ? -root : root));
  let c = 1;
  let s = 1;
  let p = 0;
  let length = 0;
  e[last] = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = Math.sqrt(f * f + g * g);
    if (r < VANISHING) {
      e[i + 1] = 0;
      d[i + 1] = d[i + 1]! - p;
      kernels.release(pointer + length * 8);
      return i + 1;
    }
    if (i + 1 < last) e[i + 1] = r;
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotations[length++] = c;
    rotations[length++] = s;
  }
  d[first] = d[first]! - p;
  e[first] = g;
  return first;
}
