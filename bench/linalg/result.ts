import { table } from '../markdown.js';
import type { Stamp } from '../stamped.js';

/** Median milliseconds of ml-matrix, which finds all pairs, and of leandex. */
export interface Decomposition {
  readonly matrix: string;
  readonly dimensions: number;
  readonly pairs: number;
  readonly theirs: number;
  readonly ours: number;
  /** The largest of leandex's residuals, over the largest eigenvalue. */
  readonly residual: number;
}

/** Median milliseconds of the exact solver and of the subspace iteration. */
export interface Changeover {
  readonly dimensions: number;
  readonly pairs: number;
  readonly exact: number;
  readonly subspace: number;
}

/** What `npm run bench:linalg` measures. */
export interface LinalgResult extends Stamp {
  readonly rounds: number;
  readonly decompositions: readonly Decomposition[];
  readonly changeovers: readonly Changeover[];
}

export function decompositionTable({
  decompositions,
}: Pick<LinalgResult, 'decompositions'>): string {
  return table(
    ['matrix', 'pairs', 'ml-matrix ms', 'leandex ms', 'faster', 'residual'],
    decompositions.map(({ matrix, dimensions, pairs, theirs, ours, residual }) => [
      matrix,
      `${pairs} of ${dimensions}`,
      theirs.toFixed(0),
      ours.toFixed(0),
      `${(theirs / ours).toFixed(1)}x`,
      residual.toExponential(0),
    ]),
  );
}

export function changeoverTable({ changeovers }: Pick<LinalgResult, 'changeovers'>): string {
  return table(
    ['pairs, λ_i = 1 / i', 'exact ms', 'subspace ms'],
    changeovers.map(({ dimensions, pairs, exact, subspace }) => [
      `${pairs} of ${dimensions}`,
      exact.toFixed(0),
      subspace.toFixed(0),
    ]),
  );
}
