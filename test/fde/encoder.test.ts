import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import type { FdeOptions } from '../../src/fde/options.js';
import { hyperplanes, innerProjection } from '../../src/fde/random-maps.js';
import { differingSides, encodeSet, grayIndex, sidesOf } from '../../src/kernels/scalar/fde.js';
import { expectSame, tryKernels, VARIANTS } from '../kernels/support.js';
import { chamfer, dot, rowsOf, setAt, settingsOf, tokenSets, unitTokens } from './token-sets.js';

/** MUVERA as published: plain means, empty cells filled by the nearest token. */
const PAPER = { centroidExponent: 0, fill: 'token' } as const satisfies Partial<FdeOptions>;
/** The paper's, whose inner products never exceed Chamfer. */
const EXACT_CELLS = { ...PAPER, projection: 'identity' } as const satisfies Partial<FdeOptions>;

const offsetsOf = (tokens: Float32Array, dimensions: number) =>
  Uint32Array.of(0, tokens.length / dimensions);

/** The encoding of one document. */
function encodeDocument(encoder: FdeEncoder, tokens: Float32Array): Float32Array {
  return encoder.encodeDocuments(tokens, offsetsOf(tokens, encoder.options.dimensions));
}

function reversed(tokens: Float32Array, dimensions: number): Float32Array {
  return Float32Array.from(
    rowsOf(tokens, dimensions)
      .reverse()
      .flatMap((row) => [...row]),
  );
}

function joined(...parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function expectNear(actual: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((x, i) => {
    if (Math.abs(x - expected[i]!) > tolerance) expect(x, `number ${i}`).toBe(expected[i]);
  });
}

/** Cells of an encoding: [repetition][cell]. */
function cellsOf(encoder: FdeEncoder, encoding: Float32Array): Float32Array[][] {
  const { partitionBits, projectedDimensions, repetitions } = encoder.options;
  const cells = rowsOf(encoding, projectedDimensions);
  const count = 2 ** partitionBits;
  return Array.from({ length: repetitions }, (_, r) => cells.slice(r * count, (r + 1) * count));
}

const VARIED: readonly Partial<FdeOptions>[] = [
  {},
  { fill: 'centroid' },
  { partitionBits: 0, repetitions: 3 },
  { partitionBits: 5, repetitions: 4, projectedDimensions: 3 },
  { partitionBits: 3, repetitions: 7, projection: 'count-sketch' },
  { partitionBits: 3, repetitions: 2, projection: 'identity', fill: 'centroid' },
  { ...PAPER, partitionBits: 4, repetitions: 5 },
  { ...PAPER, fill: 'none', partitionBits: 6, repetitions: 2, finalDimensions: 17 },
];

describe.each(VARIANTS)('the encoder, %s', (variant) => {
  const isThere = tryKernels(variant) !== undefined;
  describe.skipIf(!isThere)('against its scalar twin', () => {
    test.each(VARIED)('%j equals it to the bit, all token lengths and set sizes', (given) => {
      for (const dimensions of [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 64, 128, 130]) {
        if ((given.projectedDimensions ?? 1) > dimensions) continue;
        const encoder = new FdeEncoder({ dimensions, seed: dimensions, ...given }, { variant });
        const sets = tokenSets(dimensions, [1, 0, 2, 5, 40], dimensions);
        const settings = settingsOf(encoder.options);
        const encodings = encoder.encodeDocuments(sets.tokens, sets.offsets);
        for (let i = 0; i < sets.offsets.length - 1; i++) {
          const tokens = setAt(sets, i, dimensions);
          const rows = rowsOf(tokens, dimensions);
          const encoding = rowsOf(encodings, encoder.dimensions)[i]!;
          const what = `${dimensions} dimensions, set ${i}`;
          expectSame(
            encoding.map(positiveZero),
            encodeSet(rows, settings, false).map(positiveZero),
            what,
          );
          const query = encoder.encodeQuery(tokens);
          expectSame(
            query.map(positiveZero),
            encodeSet(rows, settings, true).map(positiveZero),
            what,
          );
        }
      }
    });

    test('other exponents are within a rounding of it', () => {
      const encoder = new FdeEncoder({ dimensions: 24, centroidExponent: 0.4 }, { variant });
      const tokens = unitTokens(new Random(3), 30, 24);
      const expected = encodeSet(rowsOf(tokens, 24), settingsOf(encoder.options), false);
      expectNear(encodeDocument(encoder, tokens), expected, 1e-6);
    });
  });
});

const positiveZero = (x: number) => (x === 0 ? 0 : x);

describe('cells', () => {
  // checks.md 4.1
  test('Gray codes of three sides are the reference’s', () => {
    const golden = {
      '000': 0,
      '001': 1,
      '010': 3,
      '011': 2,
      '100': 7,
      '101': 6,
      '110': 4,
      '111': 5,
    };
    for (const [bits, cell] of Object.entries(golden)) {
      expect(grayIndex([...bits].map((bit) => bit === '1'))).toBe(cell);
      expect(cell ^ (cell >> 1)).toBe(Number.parseInt(bits, 2));
    }
  });

  test('number ^ (number >> 1) are the sides of every cell', () => {
    for (let k = 0; k <= 10; k++) {
      const numbers = Array.from({ length: 2 ** k }, (_, bits) => {
        const sides = Array.from({ length: k }, (_, b) => ((bits >> (k - 1 - b)) & 1) === 1);
        const cell = grayIndex(sides);
        expect(cell ^ (cell >> 1)).toBe(bits);
        return cell;
      });
      expect(new Set(numbers).size).toBe(2 ** k);
    }
  });

  // A token alone fills one cell of a query, whose number the twin knows from float64 products.
  test('a query token is in the cell of its sides', () => {
    const dimensions = 32;
    const encoder = new FdeEncoder({
      dimensions,
      ...EXACT_CELLS,
      partitionBits: 5,
      repetitions: 3,
    });
    const random = new Random(5);
    for (let i = 0; i < 50; i++) {
      const token = unitTokens(random, 1, dimensions);
      for (const [r, cells] of cellsOf(encoder, encoder.encodeQuery(token)).entries()) {
        const normals = rowsOf(hyperplanes(encoder.options, r), dimensions);
        const products = normals.map((normal) => dot(normal, token));
        if (products.some((product) => Math.abs(product) < 1e-4)) continue;
        const cell = grayIndex(products.map((product) => product > 0));
        cells.forEach((values, c) => {
          expectSame(values, c === cell ? token : new Float32Array(dimensions));
        });
      }
    }
  });

  // checks.md 4.6
  test('the chance that a side differs is the angle over π', () => {
    const dimensions = 16;
    const random = new Random(9);
    for (const cosine of [0.9, 0.5, 0, -0.7]) {
      let differing = 0;
      const trials = 40_000;
      const [u] = [unitTokens(random, 1, dimensions)];
      const other = unitTokens(random, 1, dimensions);
      const along = dot(u, other);
      const across = other.map((x, i) => x - along * u[i]!);
      const length = Math.sqrt(dot(across, across));
      const sine = Math.sqrt(1 - cosine ** 2);
      const v = u.map((x, i) => cosine * x + (sine * across[i]!) / length);
      for (let seed = 0; seed < trials / 20; seed++) {
        const { options } = new FdeEncoder({ dimensions, partitionBits: 5, repetitions: 4, seed });
        for (let r = 0; r < 4; r++) {
          const normals = rowsOf(hyperplanes(options, r), dimensions);
          const sides = sidesOf(v, normals);
          sidesOf(u, normals).forEach((side, b) => {
            if (side !== sides[b]) differing++;
          });
        }
      }
      expect(Math.abs(differing / trials - Math.acos(cosine) / Math.PI)).toBeLessThan(0.01);
    }
  });
});

// checks.md 4.2
describe('one cell', () => {
  const dimensions = 12;
  const encoder = new FdeEncoder({ dimensions, ...EXACT_CELLS, partitionBits: 0, repetitions: 1 });

  test('a query is its sum, a document its mean', () => {
    const [q, p] = [
      unitTokens(new Random(1), 7, dimensions),
      unitTokens(new Random(2), 9, dimensions),
    ];
    const sumOf = (tokens: Float32Array) =>
      Array.from({ length: dimensions }, (_, i) =>
        rowsOf(tokens, dimensions).reduce((sum, row) => sum + row[i]!, 0),
      );
    expectNear(encoder.encodeQuery(q), sumOf(q), 1e-6);
    expectNear(
      encodeDocument(encoder, p),
      sumOf(p).map((x) => x / 9),
      1e-6,
    );
  });

  test('a document of one token gives Chamfer exactly, whatever the partition', () => {
    const random = new Random(4);
    for (let k = 0; k <= 6; k++) {
      const repetitions = 3;
      const some = new FdeEncoder({ dimensions, ...EXACT_CELLS, partitionBits: k, repetitions });
      const [q, p] = [unitTokens(random, 8, dimensions), unitTokens(random, 1, dimensions)];
      const product = dot(some.encodeQuery(q), encodeDocument(some, p)) / repetitions;
      expect(product).toBeCloseTo(chamfer(q, p, dimensions), 5);
    }
  });
});

// checks.md 4.3
describe('encodings', () => {
  const dimensions = 20;
  const options: FdeOptions = { dimensions, partitionBits: 3, repetitions: 6, seed: 8 };
  const sizes = fc.integer({ min: 1, max: 30 });
  const seeds = fc.integer({ min: 0, max: 1e6 });

  test('of queries add up and scale', () => {
    const encoder = new FdeEncoder(options);
    const property = fc.property(sizes, sizes, seeds, (m, n, seed) => {
      const [a, b] = [unitTokens(new Random(seed), m, 20), unitTokens(new Random(seed + 1), n, 20)];
      const sum = encoder.encodeQuery(a).map((x, i) => x + encoder.encodeQuery(b)[i]!);
      expectNear(encoder.encodeQuery(joined(a, b)), sum, 1e-5);
      const twice = encoder.encodeQuery(a).map((x) => 2 * x);
      expectSame(encoder.encodeQuery(a.map((x) => 2 * x)), twice);
    });
    fc.assert(property, { seed: 1, numRuns: 20 });
  });

  test.each([
    {},
    PAPER,
    { ...PAPER, fill: 'none' as const },
  ])('with %j do not depend on how often each token is there', (how) => {
    const encoder = new FdeEncoder({ ...options, ...how });
    const property = fc.property(sizes, seeds, (n, seed) => {
      const tokens = unitTokens(new Random(seed), n, dimensions);
      const once = encodeDocument(encoder, tokens);
      expectNear(encodeDocument(encoder, joined(tokens, tokens)), once, 1e-5);
    });
    fc.assert(property, { seed: 2, numRuns: 20 });
  });

  test('do not depend on the order of tokens', () => {
    const encoder = new FdeEncoder(options);
    const property = fc.property(sizes, seeds, (n, seed) => {
      const tokens = unitTokens(new Random(seed), n, dimensions);
      const other = reversed(tokens, dimensions);
      expectNear(encodeDocument(encoder, other), encodeDocument(encoder, tokens), 1e-5);
      expectNear(encoder.encodeQuery(other), encoder.encodeQuery(tokens), 1e-5);
    });
    fc.assert(property, { seed: 3, numRuns: 20 });
  });

  test('of the same options are the same, of other seeds others', () => {
    const tokens = unitTokens(new Random(1), 9, dimensions);
    const encoding = encodeDocument(new FdeEncoder(options), tokens);
    expectSame(encodeDocument(new FdeEncoder({ ...options }), tokens), encoding);
    expect(encodeDocument(new FdeEncoder({ ...options, seed: 9 }), tokens)).not.toEqual(encoding);
  });

  test('by default have centroids of unit length before the projection', () => {
    const encoder = new FdeEncoder({ ...options, projection: 'identity', fill: 'centroid' });
    const encoding = encodeDocument(encoder, unitTokens(new Random(6), 5, dimensions));
    for (const cell of cellsOf(encoder, encoding).flat()) expect(dot(cell, cell)).toBeCloseTo(1, 5);
  });

  test('of tokens that cancel, of zeros and of no tokens are zero or finite', () => {
    const encoder = new FdeEncoder({ ...options, partitionBits: 0 });
    const token = unitTokens(new Random(6), 1, dimensions);
    const cancelling = joined(
      token,
      token.map((x) => -x),
    );
    for (const tokens of [cancelling, new Float32Array(3 * dimensions), new Float32Array(0)]) {
      expect(encodeDocument(encoder, tokens).every((x) => x === 0)).toBe(true);
    }
  });
});

// checks.md 4.4
describe('the upper bound of the paper', () => {
  const dimensions = 24;
  const draw = (seed: number) => {
    const random = new Random(seed);
    const [m, n] = [1 + random.below(20), 1 + random.below(40)];
    const [k, repetitions] = [random.below(6), 1 + random.below(5)];
    const [q, p] = [unitTokens(random, m, dimensions), unitTokens(random, n, dimensions)];
    return { q, p, m, options: { dimensions, partitionBits: k, repetitions, seed } };
  };

  test('holds for means, fill and identity: never above Chamfer', () => {
    for (let seed = 0; seed < 300; seed++) {
      const { q, p, m, options } = draw(seed);
      const encoder = new FdeEncoder({ ...options, ...EXACT_CELLS });
      const product = dot(encoder.encodeQuery(q), encodeDocument(encoder, p)) / options.repetitions;
      expect(product).toBeLessThanOrEqual(chamfer(q, p, dimensions) + 1e-5 * m);
    }
  });

  test('is broken by sums in the place of means: this test would notice', () => {
    let violations = 0;
    for (let seed = 0; seed < 300; seed++) {
      const { q, p, m, options } = draw(seed);
      const encoder = new FdeEncoder({ ...options, ...EXACT_CELLS });
      const product = dot(encoder.encodeQuery(q), encoder.encodeQuery(p)) / options.repetitions;
      if (product > chamfer(q, p, dimensions) + 1e-5 * m) violations++;
    }
    expect(violations).toBeGreaterThan(30);
  });
});

// checks.md 4.5
describe('the fill', () => {
  const dimensions = 16;

  test('leaves no cell empty, and takes a token that differs in the fewest sides', () => {
    const options: FdeOptions = { dimensions, ...EXACT_CELLS, partitionBits: 5, repetitions: 4 };
    const [filled, plain] = [new FdeEncoder(options), new FdeEncoder({ ...options, fill: 'none' })];
    const tokens = unitTokens(new Random(2), 6, dimensions);
    const rows = rowsOf(tokens, dimensions);
    const without = cellsOf(plain, encodeDocument(plain, tokens));
    for (const [r, cells] of cellsOf(filled, encodeDocument(filled, tokens)).entries()) {
      const normals = rowsOf(hyperplanes(filled.options, r), dimensions);
      const numbers = rows.map((row) => grayIndex(sidesOf(row, normals)));
      for (const [c, cell] of cells.entries()) {
        if (numbers.includes(c)) {
          expectSame(cell, without[r]![c]!);
          continue;
        }
        expect(without[r]![c]!.every((x) => x === 0)).toBe(true);
        const distances = numbers.map((number) => differingSides(number, c));
        expectSame(cell, rows[distances.indexOf(Math.min(...distances))]!);
      }
    }
  });

  test('by centroids takes that of a nearest cell with tokens', () => {
    const options: FdeOptions = { dimensions, partitionBits: 5, repetitions: 4, fill: 'centroid' };
    const [filled, plain] = [new FdeEncoder(options), new FdeEncoder({ ...options, fill: 'none' })];
    const tokens = unitTokens(new Random(3), 9, dimensions);
    const without = cellsOf(plain, encodeDocument(plain, tokens));
    for (const [r, cells] of cellsOf(filled, encodeDocument(filled, tokens)).entries()) {
      const there = without[r]!.flatMap((cell, c) => (cell.some((x) => x !== 0) ? [c] : []));
      const isSame = (c: number, other: number) =>
        cells[c]!.every((x, i) => x === without[r]![other]![i]);
      for (let c = 0; c < cells.length; c++) {
        const least = Math.min(...there.map((other) => differingSides(other, c)));
        const nearest = there.filter((other) => differingSides(other, c) === least);
        expect(nearest.some((other) => isSame(c, other))).toBe(true);
      }
    }
  });

  test('is not for queries: their empty cells stay zero', () => {
    const encoder = new FdeEncoder({ dimensions, partitionBits: 4, repetitions: 3 });
    const cells = cellsOf(encoder, encoder.encodeQuery(unitTokens(new Random(1), 1, dimensions)));
    for (const some of cells) {
      expect(some.filter((cell) => cell.some((x) => x !== 0)).length).toBe(1);
    }
  });
});

// checks.md 4.6
describe('projections', () => {
  const dimensions = 10;
  const random = new Random(7);
  const [x, y] = [unitTokens(random, 1, dimensions), unitTokens(random, 1, dimensions)];

  const expectMean = (products: readonly number[], expected: number) => {
    const mean = products.reduce((sum, p) => sum + p, 0) / products.length;
    const variance = products.reduce((sum, p) => sum + (p - mean) ** 2, 0) / products.length;
    expect(Math.abs(mean - expected)).toBeLessThan(4 * Math.sqrt(variance / products.length));
  };

  test.each(['dense', 'count-sketch'] as const)('%s is unbiased', (projection) => {
    const products = Array.from({ length: 2000 }, (_, seed) => {
      const options = { dimensions, projection, projectedDimensions: 4, seed, repetitions: 1 };
      const encoder = new FdeEncoder({ ...options, partitionBits: 0 });
      expect(innerProjection(encoder.options, 0)!.length).toBe(40);
      return dot(encoder.encodeQuery(x), encoder.encodeQuery(y));
    });
    expectMean(products, dot(x, y));
  });

  test('the final one is unbiased', () => {
    const products = Array.from({ length: 2000 }, (_, seed) => {
      const options = { dimensions, partitionBits: 0, repetitions: 2, seed, finalDimensions: 6 };
      const encoder = new FdeEncoder({ ...options, projection: 'identity' });
      return dot(encoder.encodeQuery(x), encoder.encodeQuery(y)) / 2;
    });
    expectMean(products, dot(x, y));
  });
});

// checks.md 4.7
test('more repetitions concentrate: the deviation falls with the square root', () => {
  const dimensions = 24;
  const random = new Random(11);
  const [q, p] = [unitTokens(random, 6, dimensions), unitTokens(random, 20, dimensions)];
  const deviation = (repetitions: number) => {
    const products = Array.from({ length: 400 }, (_, seed) => {
      const encoder = new FdeEncoder({ dimensions, ...PAPER, partitionBits: 3, repetitions, seed });
      return dot(encoder.encodeQuery(q), encodeDocument(encoder, p)) / repetitions;
    });
    const mean = products.reduce((sum, x) => sum + x, 0) / products.length;
    return Math.sqrt(products.reduce((sum, x) => sum + (x - mean) ** 2, 0) / products.length);
  };
  const ratio = deviation(5) / deviation(20);
  expect(ratio).toBeGreaterThan(1.5);
  expect(ratio).toBeLessThan(2.5);
});

describe('misuse', () => {
  const code = (error: unknown) => (error as { code: string }).code;
  const thrown = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test.each<[string, unknown]>([
    ['no dimensions', {}],
    ['an unknown option', { dimensions: 8, bits: 3 }],
    ['too many partitions', { dimensions: 8, partitionBits: 11 }],
    ['no repetitions', { dimensions: 8, repetitions: 0 }],
    ['more outputs than inputs', { dimensions: 8, projectedDimensions: 9 }],
    ['identity to fewer', { dimensions: 8, projectedDimensions: 4, projection: 'identity' }],
    ['another projection', { dimensions: 8, projection: 'sparse' }],
    ['another fill', { dimensions: 8, fill: 'mean' }],
    ['an exponent above 1', { dimensions: 8, centroidExponent: 2 }],
    ['an encoding too long', { dimensions: 128, partitionBits: 10, repetitions: 100 }],
    ['more final numbers than there are', { dimensions: 8, finalDimensions: 8000 }],
  ])('%s', (_, options) => {
    expect(code(thrown(() => new FdeEncoder(options as FdeOptions)))).toBe('INVALID_ARGUMENT');
  });

  test('wrong tokens and offsets', () => {
    const encoder = new FdeEncoder({ dimensions: 4 });
    const tokens = new Float32Array(12).fill(1);
    const encode = (offsets: unknown, rows: unknown = tokens) =>
      code(thrown(() => encoder.encodeDocuments(rows as Float32Array, offsets as Uint32Array)));
    for (const offsets of [[0, 3], new Uint32Array(0), Uint32Array.of(1, 3)]) {
      expect(encode(offsets)).toBe('INVALID_ARGUMENT');
    }
    for (const offsets of [Uint32Array.of(0, 2, 1, 3), Uint32Array.of(0, 2)]) {
      expect(encode(offsets)).toBe('INVALID_ARGUMENT');
    }
    expect(encode(Uint32Array.of(0, 3), [...tokens])).toBe('INVALID_ARGUMENT');
    expect(encode(Uint32Array.of(0, 3), tokens.subarray(1))).toBe('DIMENSION_MISMATCH');
    expect(
      encode(
        Uint32Array.of(0, 3),
        tokens.map((x, i) => (i === 5 ? Number.NaN : x)),
      ),
    ).toBe('INVALID_ARGUMENT');
  });

  test('more encodings than any memory holds', () => {
    const encoder = new FdeEncoder({ dimensions: 16, partitionBits: 10, repetitions: 1 });
    const none = new Float32Array(0);
    const error = thrown(() => encoder.encodeDocuments(none, new Uint32Array(2 ** 22 + 1)));
    expect(code(error)).toBe('RESOURCE_EXHAUSTED');
  });
});
