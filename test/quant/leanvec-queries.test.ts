import { beforeAll, describe, expect, test } from 'vitest';
import { generateOutOfDistribution } from '../../datasets/generate.js';
import { loadEmbeddings, sharedFolder } from '../../datasets/shared.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { randomOrthogonal } from '../../src/linalg/qr.js';
import { LeanVec, type LeanVecMethod, type LeanVecOptions } from '../../src/quant/leanvec.js';
import { Lvq } from '../../src/quant/lvq.js';
import { gaussianRows } from '../graph/oracle.js';

const K = 10;
const METHODS: readonly LeanVecMethod[] = [
  'pca',
  'eigenvector-search',
  'frank-wolfe',
  'sphering',
  'balanced-sphering',
];

interface Split {
  dimensions: number;
  corpus: Float32Array;
  /** Queries to train with, none of which is tested with. */
  training: Float32Array;
  queries: Float32Array;
  truth: Uint32Array;
}

function split(corpus: Float32Array, all: Float32Array, dimensions: number, tests: number): Split {
  const training = all.subarray(tests * dimensions);
  const queries = all.subarray(0, tests * dimensions);
  const truth = exactNeighbours(corpus, queries, dimensions, K, 'Dot').ids;
  return { dimensions, corpus, training, queries, truth };
}

/** Share of the true ten among the best `depth` by inner products of the rows given. */
function recall({ truth }: Split, rows: Float32Array, queries: Float32Array, depth = K): number {
  const target = (K * queries.length) / truth.length;
  const found = exactNeighbours(rows, queries, target, depth, 'Dot').ids;
  let hits = 0;
  for (let q = 0; q < truth.length / K; q++) {
    const best = new Set(found.subarray(q * depth, (q + 1) * depth));
    for (let i = 0; i < K; i++) if (best.has(truth[q * K + i]!)) hits++;
  }
  return hits / truth.length;
}

function trained(data: Split, method: LeanVecMethod, target: number): LeanVec {
  const { dimensions, training: queries } = data;
  return LeanVec.train(data.corpus, { dimensions, target, queries, method });
}

function recallOf(data: Split, leanVec: LeanVec, depth = K): number {
  return recall(data, leanVec.project(data.corpus), leanVec.projectQueries(data.queries), depth);
}

describe('queries that vary in other directions than the data, 128 dimensions', () => {
  let data: Split;
  const at = (target: number) => METHODS.map((method) => trained(data, method, target));

  beforeAll(() => {
    const options = { count: 8000, queries: 1700, dimensions: 128, seed: 1, shift: 0 };
    const set = generateOutOfDistribution({ ...options, decay: 1.1, queryDecay: 1.1 });
    data = split(set.corpus, set.queries, 128, 200);
  });

  test('32 are kept: PCA < eigenvector search ≤ Frank–Wolfe < sphering, in loss and in recall', () => {
    const all = at(32);
    const [pca, search, frankWolfe, sphering] = all.map((leanVec) => leanVec.loss);
    expect(search).toBeLessThan(0.6 * pca!);
    expect(frankWolfe).toBeLessThanOrEqual(search!);
    expect(sphering).toBeLessThan(frankWolfe!);
    const found = all.map((leanVec) => recallOf(data, leanVec));
    expect(found[1]).toBeGreaterThan(found[0]! + 0.1);
    expect(found[2]).toBeGreaterThanOrEqual(found[1]!);
    expect(found[3]).toBeGreaterThan(found[2]!);
    expect(found[4]).toBeCloseTo(found[3]!, 6);
  });

  test('64 are kept: sphering has 99 % of the true ten within its best 50', () => {
    expect(recallOf(data, trained(data, 'sphering', 64), 50)).toBeGreaterThanOrEqual(0.99);
  });

  test("Frank–Wolfe's maps are nearly orthonormal", () => {
    const { basis, queryBasis } = trained(data, 'frank-wolfe', 32);
    for (const rows of [basis, queryBasis]) {
      let error = 0;
      for (let i = 0; i < 32; i++) {
        for (let j = 0; j < 32; j++) {
          let sum = i === j ? -1 : 0;
          for (let k = 0; k < 128; k++) sum += rows[i * 128 + k]! * rows[j * 128 + k]!;
          error += sum * sum;
        }
      }
      expect(error / 32).toBeLessThanOrEqual(1e-2);
    }
  });
});

describe('LeanVec with queries', () => {
  const d = 24;
  const vectors = gaussianRows(600, d, 1).map((x) => x + 0.5);
  const queries = gaussianRows(300, d, 2, -0.4).map((x) => x - 0.25);
  const train = (options: Partial<LeanVecOptions>) =>
    LeanVec.train(vectors, { dimensions: d, target: 8, queries, ...options });

  test('takes balanced sphering unless told otherwise, and PCA without queries', () => {
    expect(train({}).method).toBe('balanced-sphering');
    expect(LeanVec.train(vectors, { dimensions: d, target: 8 }).method).toBe('pca');
    const pca = train({ method: 'pca' });
    expect(pca.queryBasis).toBe(pca.basis);
    expect(pca.loss).toBeGreaterThan(train({}).loss);
  });

  test('the reported loss is the mean squared error of the inner products over their mean square', () => {
    for (const distance of ['dot', 'euclid'] as const) {
      for (const method of ['pca', 'eigenvector-search', 'frank-wolfe'] as const) {
        const leanVec = train({ method, distance });
        const [px, pq] = [leanVec.project(vectors), leanVec.projectQueries(queries)];
        let [errors, squares] = [0, 0];
        for (let q = 0; q < 300; q += 3) {
          for (let r = 0; r < 600; r++) {
            let [exact, projected] = [0, 0];
            for (let j = 0; j < d; j++) {
              const about = distance === 'euclid' ? leanVec.mean[j]! : 0;
              exact += (queries[q * d + j]! - about) * (vectors[r * d + j]! - leanVec.mean[j]!);
            }
            for (let i = 0; i < 8; i++) projected += pq[q * 8 + i]! * px[r * 8 + i]!;
            errors += (projected - exact) ** 2;
            squares += exact * exact;
          }
        }
        expect(Math.abs(errors / squares / leanVec.loss - 1)).toBeLessThan(0.1);
      }
    }
  });

  test.each(METHODS)('%s: all dimensions keep inner products', (method) => {
    for (const distance of ['cosine', 'euclid'] as const) {
      const leanVec = train({ method, distance, target: d });
      expect(leanVec.loss).toBeLessThan(1e-6);
      const [px, pq] = [leanVec.project(vectors), leanVec.projectQueries(queries)];
      for (let r = 0; r < 300; r += 37) {
        let [exact, projected] = [0, 0];
        for (let j = 0; j < d; j++) {
          const about = distance === 'euclid' ? leanVec.mean[j]! : 0;
          exact += (queries[r * d + j]! - about) * (vectors[r * d + j]! - leanVec.mean[j]!);
          projected += pq[r * d + j]! * px[r * d + j]!;
        }
        expect(Math.abs(projected - exact)).toBeLessThan(1e-3);
      }
    }
  });

  test('a goal takes the fewest dimensions that meet it', () => {
    for (const options of [{ method: 'pca' }, { method: 'sphering' }, {}] as const) {
      const { target, loss } = train({ ...options, target: { loss: 0.05 } });
      expect(loss).toBeLessThanOrEqual(0.05 * (1 + 1e-9));
      expect(train({ ...options, target: target - 1 }).loss).toBeGreaterThan(0.05);
      expect(train({ ...options, target }).loss).toBeCloseTo(loss, 6);
      const kept = train({ ...options, target: { energy: 0.8 } });
      expect(kept.energyKept()).toBeGreaterThanOrEqual(0.8 - 1e-9);
      expect(kept.energyKept(kept.target - 1)).toBeLessThan(0.8);
    }
    expect(train({ target: { energy: 1 } }).target).toBeGreaterThan(20);
    expect(train({ target: { loss: 1 } }).target).toBe(1);
    const alone = LeanVec.train(vectors, { dimensions: d, target: { loss: 0.1 } });
    expect(alone.loss).toBeLessThanOrEqual(0.1);
    expect(alone.target).toBeLessThan(d);
  });

  test.each(METHODS)('%s: comes back from its bytes, the same from the same seed', (method) => {
    const leanVec = train({ method, distance: 'Euclid' });
    const same = LeanVec.fromBytes(leanVec.toBytes());
    expect(same).toEqual(leanVec);
    expect(same.queryBasis === same.basis).toBe(leanVec.queryBasis === leanVec.basis);
    expect(train({ method, distance: 'Euclid' })).toEqual(leanVec);
  });

  test('refuses wrong options', () => {
    const alone = { dimensions: d, target: 8 };
    expect(() => LeanVec.train(vectors, { ...alone, method: 'sphering' })).toThrow(/queries/);
    expect(() => train({ method: 'frank-wolfe', target: { loss: 0.1 } })).toThrow(/frank-wolfe/);
    expect(() => train({ method: 'opq' as never })).toThrow(/sphering/);
    expect(() => train({ target: { loss: 2 } })).toThrow(/from 0 to 1/);
    expect(() => train({ target: {} as never })).toThrow(RangeError);
    expect(() => train({ target: { energy: 0.5, loss: 0.5 } as never })).toThrow(RangeError);
    expect(() => train({ target: '8' as never })).toThrow(TypeError);
    expect(() => train({ queries: new Float32Array(7) })).toThrow(/multiple of 24/);
    expect(() => train({ queries: new Float32Array(d).fill(Number.NaN) })).toThrow(/column 0/);
    expect(() => train({ queries: new Float32Array(d) })).toThrow(/zero/);
    expect(() => train({ distance: 'manhattan' as never })).toThrow(/Cosine/);
  });
});

describe('real queries of another kind than the documents', () => {
  const folder = sharedFolder('wordnet-mpnet768');
  const TARGET = 160;

  test.skipIf(folder === undefined)(
    'sphering finds more than PCA, with 2 bits only when balanced',
    () => {
      const set = loadEmbeddings(folder!);
      const { dimensions: d } = set;
      const data = split(set.corpus.subarray(0, 8000 * d), set.queries, d, 300);
      const pca = trained(data, 'pca', TARGET);
      const search = trained(data, 'eigenvector-search', TARGET);
      const sphering = trained(data, 'sphering', TARGET);
      const balanced = trained(data, 'balanced-sphering', TARGET);
      const found = [pca, search, sphering].map((leanVec) => recallOf(data, leanVec));
      expect(found[1]).toBeGreaterThan(found[0]!);
      expect(found[2]).toBeGreaterThan(found[0]! + 0.02);

      const coded = (leanVec: LeanVec) => {
        const rotation = randomOrthogonal(TARGET, new Random(1));
        const rotate = (rows: Float32Array) => rotated(rows, rotation, TARGET);
        const rows = rotate(leanVec.project(data.corpus));
        const lvq = Lvq.train(rows, { dimensions: TARGET, bits: 2 });
        const queries = rotate(leanVec.projectQueries(data.queries));
        return recall(data, lvq.decode(lvq.encode(rows)), queries, 20);
      };
      expect(coded(balanced)).toBeGreaterThan(coded(sphering) + 0.05);
      expect(coded(balanced)).toBeGreaterThan(coded(pca) + 0.01);
      expect(coded(sphering)).toBeLessThan(coded(pca));
    },
  );
});

/** R x for each row x. */
function rotated(rows: Float32Array, rotation: Float64Array, n: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let r = 0; r < rows.length; r += n) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += rotation[i * n + j]! * rows[r + j]!;
      out[r + i] = sum;
    }
  }
  return out;
}
