import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { Kernels } from '../../src/kernels/index.js';
import { leadingEigen } from '../../src/linalg/leading-eigen.js';
import { covariance } from '../../src/linalg/moments.js';
import { eigenvectorSearchSteps } from '../../src/quant/eigenvector-search.js';
import { frankWolfeSteps } from '../../src/quant/frank-wolfe.js';
import {
  type ProjectionMaps,
  projectionLoss,
  type SecondMoments,
} from '../../src/quant/projection-loss.js';
import { QUERY_AWARE_METHODS, queryAwareSteps } from '../../src/quant/query-aware.js';
import { balance, spheringSteps } from '../../src/quant/sphering.js';
import { gaussianRows } from '../graph/oracle.js';

const kernels = new Kernels();

/** A · B of row-major matrices, with a of rows of m and b of rows of p numbers. */
function multiply(a: ArrayLike<number>, b: ArrayLike<number>, m: number, p: number): Float64Array {
  const n = a.length / m;
  const out = new Float64Array(n * p);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < m; k++) {
      for (let j = 0; j < p; j++) out[i * p + j]! += a[i * m + k]! * b[k * p + j]!;
    }
  }
  return out;
}

function transpose(a: ArrayLike<number>, columns: number): Float64Array {
  const rows = a.length / columns;
  return Float64Array.from(
    { length: a.length },
    (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

function expectClose(found: Float64Array, expected: Float64Array, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
  expect(worst).toBeLessThan(tolerance);
}

const diagonal = (...values: number[]) =>
  Float64Array.from({ length: values.length ** 2 }, (_, i) =>
    i % (values.length + 1) === 0 ? values[i / (values.length + 1)]! : 0,
  );

function traceOfProduct(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** Rows' Gram matrix Xᵀ X. */
const gram = (rows: ArrayLike<number>, d: number) =>
  multiply(transpose(rows, d), rows, rows.length / d, d);

/** Positive definite, its eigenvalues falling as i^−decay in random directions. */
function randomMoment(d: number, seed: number, decay: number): Float64Array {
  const random = new Random(seed);
  const rows = Float64Array.from({ length: 4 * d * d }, () => random.gaussian());
  const mix = Float64Array.from({ length: d * d }, () => random.gaussian());
  for (let r = 0; r < 4 * d; r++) {
    for (let j = 0; j < d; j++) rows[r * d + j]! *= (j + 1) ** (-decay / 2);
  }
  return gram(multiply(rows, mix, d, d), d);
}

function pca(moments: SecondMoments, target: number): ProjectionMaps {
  const d = moments.dimensions;
  const { vectors } = leadingEigen(kernels, moments.data, d, target, new Random(1));
  const basis = vectors.slice(0, target * d);
  return { basis, queryBasis: basis };
}

const sphering = (moments: SecondMoments, target: number) =>
  drain(spheringSteps(kernels, moments, target));
const frankWolfe = (moments: SecondMoments, target: number, iterations?: number) =>
  drain(frankWolfeSteps(kernels, moments, pca(moments, target).basis, iterations));
function eigenvectorSearch(moments: SecondMoments, target: number): ProjectionMaps {
  const basis = drain(eigenvectorSearchSteps(kernels, moments, target));
  return { basis, queryBasis: basis };
}
const loss = (maps: ProjectionMaps, moments: SecondMoments) =>
  projectionLoss(kernels, maps, moments);

/** Aᵀ B, dimensions × dimensions: what the maps do to inner products. */
const productOf = (maps: ProjectionMaps, d: number) =>
  multiply(transpose(maps.queryBasis, d), maps.basis, maps.basis.length / d, d);

const moments = fc
  .record({
    d: fc.integer({ min: 2, max: 12 }),
    seed: fc.integer({ min: 0, max: 2 ** 30 }),
    decays: fc.tuple(
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.double({ min: 0, max: 3, noNaN: true }),
    ),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ d, seed, decays, share }) => ({
    target: Math.max(1, Math.round(share * d)),
    moments: {
      dimensions: d,
      queries: randomMoment(d, seed, decays[0]),
      data: randomMoment(d, seed + 1, decays[1]),
    },
  }));

describe('golden values', () => {
  const axes: SecondMoments = {
    dimensions: 3,
    queries: diagonal(1, 4, 100),
    data: diagonal(9, 4, 1),
  };

  test('diagonal moments: W K_X W has 100, 16 and 9; PCA drops what queries use', () => {
    const energies = [100, 16, 9];
    sphering(axes, 3).energies.forEach((e, i) => {
      expect(e).toBeCloseTo(energies[i]!, 10);
    });
    expect(loss(sphering(axes, 1), axes)).toBeCloseTo(25, 9);
    expect(loss(sphering(axes, 2), axes)).toBeCloseTo(9, 9);
    expect(loss(pca(axes, 1), axes)).toBeCloseTo(116, 9);
    expect(loss(pca(axes, 2), axes)).toBeCloseTo(100, 9);
  });

  test('two dimensions to one', () => {
    const plane: SecondMoments = {
      dimensions: 2,
      queries: Float64Array.of(2, -1, -1, 3),
      data: Float64Array.of(5, 2, 2, 2),
    };
    const both = sphering(plane, 2).energies;
    expect(both[0]).toBeCloseTo(8.44949, 6);
    expect(both[1]).toBeCloseTo(3.55051, 6);
    const maps = sphering(plane, 1);
    expect(loss(maps, plane)).toBeCloseTo(3.55051, 6);
    const product = [0.908248, 0.204124, 0.408248, 0.091752];
    productOf(maps, 2).forEach((x, i) => {
      expect(x).toBeCloseTo(product[i]!, 6);
    });
    expect(loss(pca(plane, 1), plane)).toBeCloseTo(3.6, 9);
    expect(loss(frankWolfe(plane, 1), plane)).toBeLessThanOrEqual(3.56);
    expect(loss(frankWolfe(plane, 1), plane)).toBeGreaterThan(3.5533);
    expect(loss(eigenvectorSearch(plane, 1), plane)).toBeLessThanOrEqual(3.6);
    expect(loss(eigenvectorSearch(plane, 1), plane)).toBeCloseTo(3.59746, 4);
  });
});

describe('for any second moments', () => {
  const check = (property: (m: SecondMoments, target: number, total: number) => void) =>
    fc.assert(
      fc.property(moments, ({ moments: m, target }) =>
        property(m, target, traceOfProduct(m.queries, m.data)),
      ),
      { numRuns: 40, seed: 1, endOnFailure: true },
    );

  test("sphering's loss is the sum of the energies left out, and no method's is less", () => {
    check((m, target, total) => {
      const all = sphering(m, m.dimensions).energies;
      const left = all.subarray(target).reduce((sum, e) => sum + e, 0);
      const least = loss(sphering(m, target), m);
      expect(Math.abs(least - left)).toBeLessThan(1e-6 * left + 1e-10 * total);
      const ofPca = loss(pca(m, target), m);
      const ofSearch = loss(eigenvectorSearch(m, target), m);
      const slack = 1e-9 * total;
      expect(least).toBeLessThan(ofPca + slack);
      expect(least).toBeLessThan(ofSearch + slack);
      expect(least).toBeLessThan(loss(frankWolfe(m, target), m) + slack);
      expect(ofSearch).toBeLessThan(ofPca + slack);
    });
  });

  test('the first rows of sphering are the maps for fewer dimensions', () => {
    check((m, target) => {
      const all = sphering(m, m.dimensions);
      const few = sphering(m, target);
      expectClose(few.basis, all.basis.subarray(0, few.basis.length), 1e-6);
      few.energies.forEach((x, i) => {
        expect(Math.abs(x / all.energies[i]! - 1)).toBeLessThan(1e-9);
      });
    });
  });

  test('all dimensions lose nothing, and more never lose more', () => {
    check((m, _, total) => {
      const d = m.dimensions;
      let previous = [Infinity, Infinity, Infinity];
      for (let target = 1; target <= d; target++) {
        const losses = [pca, eigenvectorSearch, sphering].map((train) => loss(train(m, target), m));
        losses.forEach((x, i) => {
          expect(x).toBeLessThan(previous[i]! + 1e-3 * total);
        });
        // β is searched for; the other two are exact.
        for (const i of [0, 2]) expect(losses[i]).toBeLessThan(previous[i]! + 1e-9 * total);
        previous = losses;
      }
      for (const x of previous) expect(Math.abs(x)).toBeLessThan(1e-8 * total);
      const product = productOf(sphering(m, d), d);
      expectClose(product, diagonal(...new Array<number>(d).fill(1)), 1e-6);
    });
  });

  test('queries like the data: PCA, eigenvector search and sphering are the same', () => {
    check((m, target) => {
      const alike = { ...m, queries: m.data.map((x) => 0.3 * x) };
      const expected = productOf(pca(alike, target), m.dimensions);
      for (const train of [eigenvectorSearch, sphering]) {
        expectClose(productOf(train(alike, target), m.dimensions), expected, 1e-6);
      }
      const total = traceOfProduct(alike.queries, alike.data);
      const excess = loss(frankWolfe(alike, target), alike) - loss(pca(alike, target), alike);
      expect(excess).toBeLessThan(1e-9 * total);
    });
  });

  test('balancing changes no inner product, and gives both sides the same variances', () => {
    check((m, target) => {
      const d = m.dimensions;
      const plain = sphering(m, target);
      const balanced = balance(plain);
      const expected = productOf(plain, d);
      expectClose(productOf(balanced, d), expected, 1e-9);
      const along = (basis: Float64Array, moment: Float64Array, i: number) => {
        const row = basis.subarray(i * d, (i + 1) * d);
        return multiply(multiply(row, moment, d, d), row, d, 1)[0]!;
      };
      const ratio = along(balanced.basis, m.data, 0) / along(balanced.queryBasis, m.queries, 0);
      for (let i = 0; i < target; i++) {
        const data = along(balanced.basis, m.data, i);
        expect(data / along(balanced.queryBasis, m.queries, i) / ratio).toBeCloseTo(1, 6);
        const root = Math.sqrt(plain.energies[i]! / plain.energies[0]!);
        expect(data / along(balanced.basis, m.data, 0) / root).toBeCloseTo(1, 6);
      }
    });
  });

  test('Frank–Wolfe stays within the unit ball of the spectral norm, and never rises', () => {
    check((m, target, total) => {
      let previous = loss(pca(m, target), m);
      for (const iterations of [1, 2, 3, 10, undefined]) {
        const maps = frankWolfe(m, target, iterations);
        const { queryBasis, basis } = maps;
        expect(loss(maps, m)).toBeLessThan(previous + 1e-9 * total);
        previous = loss(maps, m);
        for (const rows of [queryBasis, basis]) {
          const products = gram(transpose(rows, m.dimensions), target);
          const { values } = leadingEigen(kernels, products, target, 1, new Random(1));
          expect(Math.sqrt(values[0]!)).toBeLessThanOrEqual(1 + 1e-9);
        }
      }
    });
  });
});

describe('the loss', () => {
  const d = 10;
  const x = gaussianRows(60, d, 1);
  const q = gaussianRows(25, d, 2, -0.3);
  const m: SecondMoments = { dimensions: d, queries: gram(q, d), data: gram(x, d) };

  test('by the trace formula is ‖Q Aᵀ B Xᵀ − Q Xᵀ‖²', () => {
    for (const train of [pca, eigenvectorSearch, sphering, frankWolfe]) {
      const maps = train(m, 4);
      const products = multiply(multiply(q, productOf(maps, d), d, d), transpose(x, d), d, 60);
      const exact = multiply(q, transpose(x, d), d, 60);
      const direct = products.reduce((sum, v, i) => sum + (v - exact[i]!) ** 2, 0);
      expect(Math.abs(loss(maps, m) / direct - 1)).toBeLessThan(1e-6);
    }
  });

  // The identity of SVD-LLM V2 (whitened truncation) and FWSVD (weights on rows): with W any root
  // of K_Q, ‖W (X − X_r)ᵀ‖² is the sum of the squared singular values that W Xᵀ is cut by.
  test('of sphering is the error of the truncated singular value decomposition of W Xᵀ', () => {
    const maps = sphering(m, 4);
    const reduced = multiply(multiply(x, transpose(maps.basis, d), d, 4), maps.queryBasis, 4, d);
    const error = reduced.map((v, i) => v - x[i]!);
    const weighted = multiply(q, transpose(error, d), d, 60);
    const squares = weighted.reduce((sum, v) => sum + v * v, 0);
    const values = leadingEigen(
      kernels,
      gram(multiply(q, transpose(x, d), d, 60), 60),
      60,
      d,
      new Random(1),
    );
    const cut = values.values.subarray(4).reduce((sum, v) => sum + v, 0);
    expect(Math.abs(squares / cut - 1)).toBeLessThan(1e-6);
    // Plain truncation, by the singular values of X alone, errs more where queries are uneven.
    expect(squares).toBeLessThan(loss(pca(m, 4), m));
  });
});

describe('queryAwareSteps', () => {
  const d = 12;
  const data = covariance(
    kernels,
    gaussianRows(400, d, 3).map((v) => v + 1),
    d,
  );
  const queries = covariance(
    kernels,
    gaussianRows(200, d, 4, -0.5).map((v) => v - 2),
    d,
  );
  const train = (options: Partial<Parameters<typeof queryAwareSteps>[3]>) =>
    drain(queryAwareSteps(kernels, data, queries, { target: 4, ...options }));

  test.each(
    QUERY_AWARE_METHODS,
  )('%s: the same seed gives the same maps, and slices do not matter', (method) => {
    const once = train({ method });
    expect(train({ method })).toEqual(once);
    let slices = 0;
    const steps = queryAwareSteps(new Kernels(), data, queries, { target: 4, method });
    for (;;) {
      const { value, done } = steps.next();
      slices++;
      if (done) {
        expect(value).toEqual(once);
        break;
      }
    }
    expect(slices).toBeGreaterThan(5);
    expect(once.basis.length).toBe(4 * d);
    expect(once.loss).toBeGreaterThan(0);
    expect(once.loss).toBeLessThan(1);
  });

  test('about zero the mean of the queries counts; Euclid takes them about the mean of the data', () => {
    // Nearly all of the queries' energy about zero lies along their mean, so one map keeps it.
    const along = (maps: ProjectionMaps, direction: ArrayLike<number>) => {
      const kept = multiply(
        multiply(direction, transpose(maps.queryBasis, d), d, 4),
        maps.basis,
        4,
        d,
      );
      return (
        traceOfProduct(kept, Float64Array.from(direction)) /
        traceOfProduct(Float64Array.from(direction), Float64Array.from(direction))
      );
    };
    const offset = queries.mean.map((x, i) => x - data.mean[i]!);
    for (const method of QUERY_AWARE_METHODS) {
      expect(along(train({ method, distance: 'dot' }), queries.mean)).toBeGreaterThan(0.7);
      expect(along(train({ method, distance: 'euclid' }), offset)).toBeGreaterThan(0.7);
    }
    expect(train({ distance: 'cosine' })).toEqual(train({ distance: 'dot' }));
    const moved = { ...queries, mean: queries.mean.map((x) => x + 7) };
    const both = { ...data, mean: data.mean.map((x) => x + 7) };
    const shifted = drain(queryAwareSteps(kernels, both, moved, { target: 4, distance: 'euclid' }));
    expect(Math.abs(shifted.loss / train({ distance: 'euclid' }).loss - 1)).toBeLessThan(1e-9);
  });

  test('mixing in all of the data gives their principal components', () => {
    const maps = train({ method: 'sphering', dataShare: 1 });
    const own = { dimensions: d, queries: data.covariance, data: data.covariance };
    const expected = productOf(pca(own, 4), d);
    expectClose(productOf(maps, d), expected, 1e-6);
  });

  test('a single query, and vectors that are all alike, are no obstacle', () => {
    const one = covariance(
      kernels,
      Float32Array.from({ length: d }, (_, i) => i - 3),
      d,
    );
    const alike = covariance(kernels, new Float32Array(5 * d).fill(0.25), d);
    for (const method of QUERY_AWARE_METHODS) {
      for (const [x, q] of [
        [data, one],
        [alike, queries],
        [alike, one],
      ] as const) {
        const maps = drain(queryAwareSteps(kernels, x, q, { target: 3, method }));
        expect(maps.basis.every(Number.isFinite)).toBe(true);
        expect(maps.queryBasis.every(Number.isFinite)).toBe(true);
        expect(maps.loss).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('refuses wrong input', () => {
    expect(() => train({ target: d + 1 })).toThrow(RangeError);
    expect(() => train({ method: 'pca' as never })).toThrow(/sphering/);
    expect(() => train({ dataShare: 1.5 })).toThrow(/from 0 to 1/);
    expect(() => train({ beta: 1 } as never)).toThrow(/"beta"/);
    const zeros = covariance(kernels, new Float32Array(3 * d), d);
    expect(() => drain(queryAwareSteps(kernels, data, zeros, { target: 2 }))).toThrow(/zero/);
    const other = covariance(kernels, new Float32Array(9).fill(1), 3);
    expect(() => drain(queryAwareSteps(kernels, data, other, { target: 2 }))).toThrow(
      /expected 12/,
    );
  });
});
