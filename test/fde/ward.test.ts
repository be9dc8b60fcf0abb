import { expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { wardSteps } from '../../src/fde/ward.js';
import { squaredL2 } from '../../src/kernels/scalar/float.js';
import { rowsOf } from '../../src/kernels/scalar/maxsim.js';
import { Random, tokenRows } from './support.js';

function distancesOf(rows: Float32Array[]): Float64Array {
  return Float64Array.from(rows.flatMap((a) => rows.map((b) => squaredL2(a, b))));
}

/** Ward by its definition: the union that adds least to the sum of squares, again and again. */
function byDefinition(rows: Float32Array[], k: number): number[] {
  let clusters = rows.map((_, i) => [i]);
  const squares = (members: number[]) => {
    const mean = rows[0]!.map(
      (_, j) => members.reduce((s, i) => s + rows[i]![j]!, 0) / members.length,
    );
    return members.reduce((sum, i) => sum + squaredL2(rows[i]!, mean), 0);
  };
  while (clusters.length > k) {
    let best = { cost: Infinity, a: 0, b: 0 };
    for (let a = 0; a < clusters.length; a++) {
      for (let b = a + 1; b < clusters.length; b++) {
        const cost =
          squares([...clusters[a]!, ...clusters[b]!]) -
          squares(clusters[a]!) -
          squares(clusters[b]!);
        if (cost < best.cost) best = { cost, a, b };
      }
    }
    const { a, b } = best;
    const united = [...clusters[a]!, ...clusters[b]!];
    clusters = [...clusters.filter((_, i) => i !== a && i !== b), united];
  }
  const sorted = clusters.sort((a, b) => Math.min(...a) - Math.min(...b));
  return rows.map((_, i) => sorted.findIndex((members) => members.includes(i)));
}

test('the clusters are those of the definition, for every number of them', () => {
  for (const n of [1, 2, 3, 8, 17]) {
    const rows = rowsOf(tokenRows(new Random(n), n, 3), 3);
    for (let k = 1; k <= n; k++) {
      expect([...drain(wardSteps(distancesOf(rows), n, k))], `n = ${n}, k = ${k}`).toEqual(
        byDefinition(rows, k),
      );
    }
  }
});

test('equal rows come together first', () => {
  const rows = [0, 5, 0, 5, 9, 0].map((x) => Float32Array.of(x));
  expect([...drain(wardSteps(distancesOf(rows), 6, 3))]).toEqual([0, 1, 0, 1, 2, 0]);
});
