import type { Machine } from '../machine.js';
import { table } from '../markdown.js';

/** What `npm run bench:linalg` writes; times are medians, in milliseconds. */
export interface LinalgResult {
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly rounds: number;
  readonly against: readonly AgainstRow[];
  readonly changeovers: readonly ChangeoverRow[];
}

/** The leading pairs of a symmetric matrix, by ml-matrix (which always finds all) and here. */
export interface AgainstRow {
  readonly matrix: string;
  readonly dimensions: number;
  readonly pairs: number;
  readonly theirs: number;
  readonly ours: number;
}

/** The leading pairs by the exact solver and by subspace iteration. */
export interface ChangeoverRow {
  readonly dimensions: number;
  readonly pairs: number;
  readonly exact: number;
  readonly subspace: number;
}

export function againstTable({ against }: LinalgResult): string {
  return table(
    ['matrix', 'pairs', 'ml-matrix ms', 'leandex ms', 'times as fast'],
    against.map(({ matrix, dimensions, pairs, theirs, ours }) => [
      ...[matrix, `${pairs} of ${dimensions}`],
      ...[theirs.toFixed(0), ours.toFixed(0), (theirs / ours).toFixed(1)],
    ]),
  );
}

export function changeoverTable({ changeovers }: LinalgResult): string {
  return table(
    ['pairs, λ_i = 1 / i', 'exact ms', 'subspace ms'],
    changeovers.map(({ dimensions, pairs, exact, subspace }) => [
      ...[`${pairs} of ${dimensions}`, exact.toFixed(0), subspace.toFixed(0)],
    ]),
  );
}
