import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { loadEmbeddings, sharedFolder } from '../datasets/shared.js';
import { Random } from '../src/base/random.js';
import { drain } from '../src/base/steps.js';
import { Kernels } from '../src/kernels/index.js';
import { type EigenPairs, eigenSymmetric } from '../src/linalg/eigen-symmetric.js';
import { covariance } from '../src/linalg/moments.js';
import { randomOrthogonal } from '../src/linalg/qr.js';
import { subspaceSteps } from '../src/linalg/subspace-iteration.js';
import {
  type Changeover,
  changeoverTable,
  type Decomposition,
  decompositionTable,
  type LinalgResult,
} from './linalg/result.js';
import { stampLine, stampOf, writeStamped } from './stamped.js';
import { median } from './statistics.js';

/**
 * Milliseconds of eigendecompositions, medians of interleaved runs: against ml-matrix, which has no
 * partial one, and of the exact solver against the subspace iteration, where leadingEigen changes
 * from one to the other. `npm run bench:linalg [rounds]`, by default 5, which write
 * bench/results/linalg.json.
 */

const DEFAULT_ROUNDS = 5;
const ROUNDS = Number(process.argv[2] ?? DEFAULT_ROUNDS);
const DIMENSIONS = 768;
const LEADING = 160;
const ROWS = 8192;

/** Dimensions and pairs around a share of 1 / 16. */
const CHANGEOVERS = [
  [1024, 32],
  [1024, 64],
  [1024, 128],
  [1536, 48],
  [1536, 96],
  [1536, 192],
] as const;

/** Eigenvalues i^-1 and random eigenvectors. */
function powerLaw(d: number): Float64Array {
  const q = randomOrthogonal(d, new Random(1));
  const root = q.map((x, i) => x / Math.sqrt(1 + Math.floor(i / d)));
  // Rows √λ_i q_i: d times their covariance about zero is Σ λ_i q_i q_iᵀ up to float32 rounding.
  const { mean, covariance: centred } = covariance(new Kernels(), Float32Array.from(root), d);
  return centred.map((x, at) => d * (x + mean[Math.floor(at / d)]! * mean[at % d]!));
}

/** The covariance of real vectors, if the data set is there. */
function realCovariance(): Float64Array | undefined {
  const folder = sharedFolder('wordnet-mpnet768');
  if (folder === undefined) return undefined;
  const { corpus } = loadEmbeddings(folder);
  return covariance(new Kernels(), corpus.subarray(0, ROWS * DIMENSIONS), DIMENSIONS).covariance;
}

/** The median milliseconds of each function; they take turns, after one round to warm up. */
function medians(...subjects: (() => unknown)[]): number[] {
  const times = subjects.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    subjects.forEach((run, i) => {
      const start = performance.now();
      run();
      if (round > 0) times[i]!.push(performance.now() - start);
    });
  }
  return times.map(median);
}

function againstMlMatrix(name: string, matrix: Float64Array): Decomposition[] {
  const d = DIMENSIONS;
  const kernels = new Kernels();
  const rows = Matrix.from1DArray(d, d, matrix);
  const [theirs, all, leading] = medians(
    () => new EigenvalueDecomposition(rows, { assumeSymmetric: true }),
    () => eigenSymmetric(kernels, matrix, d),
    () => eigenSymmetric(kernels, matrix, d, LEADING),
  ) as [number, number, number];
  return (
    [
      [d, all],
      [LEADING, leading],
    ] as const
  ).map(([pairs, ours]) => ({
    ...{ matrix: name, dimensions: d, pairs, theirs, ours },
    residual: residual(matrix, eigenSymmetric(kernels, matrix, d, pairs)),
  }));
}

/** The largest ‖A v − λ v‖ of all pairs over the largest eigenvalue. */
function residual(matrix: Float64Array, { values, vectors }: EigenPairs): number {
  const d = vectors.length / values.length;
  const lengths = Array.from(values, (value, pair) => {
    const vector = vectors.subarray(pair * d, (pair + 1) * d);
    let squares = 0;
    for (let i = 0; i < d; i++) {
      let sum = -value * vector[i]!;
      for (let j = 0; j < d; j++) sum += matrix[i * d + j]! * vector[j]!;
      squares += sum * sum;
    }
    return Math.sqrt(squares);
  });
  return Math.max(...lengths) / values[0]!;
}

function changeover([dimensions, pairs]: readonly [number, number]): Changeover {
  const matrix = powerLaw(dimensions);
  const kernels = new Kernels();
  const [exact, subspace] = medians(
    () => eigenSymmetric(kernels, matrix, dimensions, pairs),
    () => drain(subspaceSteps(kernels, matrix, dimensions, pairs, new Random(1))),
  ) as [number, number];
  return { dimensions, pairs, exact, subspace };
}

const stamp = stampOf('linalg');
console.log(`${stampLine(stamp)}, medians of ${ROUNDS} runs\n`);
const real = realCovariance();
if (real === undefined) console.log('skipped: the data set wordnet-mpnet768 is not there\n');
const result: LinalgResult = {
  ...stamp,
  rounds: ROUNDS,
  decompositions: [
    ...againstMlMatrix('λ_i = 1 / i', powerLaw(DIMENSIONS)),
    ...(real === undefined ? [] : againstMlMatrix('wordnet-mpnet768', real)),
  ],
  changeovers: CHANGEOVERS.map(changeover),
};
console.log(`${decompositionTable(result)}\n\n${changeoverTable(result)}`);
if (ROUNDS >= DEFAULT_ROUNDS) writeStamped(result);
