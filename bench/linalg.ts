import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { loadEmbeddings, sharedFolder } from '../datasets/shared.js';
import { Random } from '../src/base/random.js';
import { drain } from '../src/base/steps.js';
import { Kernels } from '../src/kernels/index.js';
import { eigenSymmetric } from '../src/linalg/eigen-symmetric.js';
import { covariance } from '../src/linalg/moments.js';
import { randomOrthogonal } from '../src/linalg/qr.js';
import { subspaceSteps } from '../src/linalg/subspace-iteration.js';
import { describeMachine } from './machine.js';
import { table } from './markdown.js';
import { median } from './statistics.js';

/**
 * Milliseconds of eigendecompositions, medians of interleaved runs: against ml-matrix, which has no
 * partial one, and of the exact solver against the subspace iteration, where leadingEigen changes
 * from one to the other. `npm run build`, then `node dist/bench/linalg.js [rounds]`.
 */

const ROUNDS = Number(process.argv[2] ?? 5);
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

function againstMlMatrix(name: string, matrix: Float64Array): string[][] {
  const d = DIMENSIONS;
  const kernels = new Kernels();
  const rows = Matrix.from1DArray(d, d, matrix);
  const [theirs, all, leading] = medians(
    () => new EigenvalueDecomposition(rows, { assumeSymmetric: true }),
    () => eigenSymmetric(kernels, matrix, d),
    () => eigenSymmetric(kernels, matrix, d, LEADING),
  ) as [number, number, number];
  const row = (pairs: number, ours: number) => [
    name,
    `${pairs} of ${d}`,
    theirs.toFixed(0),
    ours.toFixed(0),
    `${(theirs / ours).toFixed(1)}x`,
  ];
  return [row(d, all), row(LEADING, leading)];
}

function changeover(d: number, k: number): string[] {
  const matrix = powerLaw(d);
  const kernels = new Kernels();
  const [exact, subspace] = medians(
    () => eigenSymmetric(kernels, matrix, d, k),
    () => drain(subspaceSteps(kernels, matrix, d, k, new Random(1))),
  ) as [number, number];
  return [`${k} of ${d}`, exact.toFixed(0), subspace.toFixed(0)];
}

const { cpu, node, loadAverage } = describeMachine();
console.log(`${cpu}, Node ${node}, load ${loadAverage}, medians of ${ROUNDS} runs\n`);
const real = realCovariance();
console.log(
  table(
    ['matrix', 'pairs', 'ml-matrix ms', 'leandex ms', 'faster'],
    [
      ...againstMlMatrix('λ_i = 1 / i', powerLaw(DIMENSIONS)),
      ...(real === undefined ? [] : againstMlMatrix('wordnet-mpnet768', real)),
    ],
  ),
);
if (real === undefined) console.log('\nskipped: the data set wordnet-mpnet768 is not there');
console.log();
console.log(
  table(
    ['pairs, λ_i = 1 / i', 'exact ms', 'subspace ms'],
    CHANGEOVERS.map(([d, k]) => changeover(d, k)),
  ),
);
