import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain, runSteps } from '../../src/base/steps.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import type { FdeOptions } from '../../src/fde/options.js';
import { ALONE, crewOf } from '../../src/threads/crew.js';
import { PoolLease } from '../../src/threads/pool.js';
import { expectSame } from '../kernels/support.js';
import {
  chamfer,
  dot,
  rowsOf,
  setAt,
  type TokenSets,
  tokenSets,
  unitTokens,
} from './token-sets.js';

const D = 32;
const DOCUMENTS = 700;
const QUERIES = 60;

/** Tokens around a few directions a document, and queries near some of its tokens. */
function makeSets(): { documents: TokenSets; queries: Float32Array[] } {
  const random = new Random(21);
  const documents = tokenSets(1, new Array(DOCUMENTS).fill(12), D);
  const topics = unitTokens(random, 200, D);
  for (let d = 0; d < DOCUMENTS; d++) {
    const own = [random.below(200), random.below(200), random.below(200)];
    for (const token of rowsOf(setAt(documents, d, D), D)) {
      const topic = own[random.below(3)]! * D;
      token.forEach((x, i) => {
        token[i] = (x + topics[topic + i]!) / Math.SQRT2;
      });
    }
  }
  const queries = Array.from({ length: QUERIES }, () => {
    const document = setAt(documents, random.below(DOCUMENTS), D);
    return Float32Array.from({ length: 8 * D }, (_, i) => document[i]! + 0.15 * random.gaussian());
  });
  return { documents, queries };
}

const sets = makeSets();
const exact = sets.queries.map((query) =>
  bestOf((d) => chamfer(query, setAt(sets.documents, d, D), D), 10),
);

function bestOf(score: (document: number) => number, k: number): number[] {
  const scores = Float64Array.from({ length: DOCUMENTS }, (_, d) => score(d));
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, k);
}

/** Mean share of the ten best by MaxSim among the first 50 by encodings. */
function recall(documents: ArrayLike<number>[], queries: ArrayLike<number>[]): number {
  let found = 0;
  for (const [q, query] of queries.entries()) {
    const score = (d: number) => {
      let sum = 0;
      for (let i = 0; i < query.length; i++) sum += query[i]! * documents[d]![i]!;
      return sum;
    };
    const candidates = new Set(bestOf(score, 50));
    found += exact[q]!.filter((d) => candidates.has(d)).length;
  }
  return found / (10 * QUERIES);
}

function ours(options: Partial<FdeOptions>): number {
  const encoder = new FdeEncoder({ dimensions: D, ...options });
  const { tokens, offsets } = sets.documents;
  const documents = rowsOf(encoder.encodeDocuments(tokens, offsets), encoder.dimensions);
  return recall(
    documents,
    sets.queries.map((query) => encoder.encodeQuery(query)),
  );
}

const PAPER = { centroidExponent: 0, fill: 'token', projectedDimensions: 8 } as const;

/**
 * The published encoding written down anew, in float64 and token by token: cells numbered by their
 * sides as bits, each token projected by itself, random numbers of another kind.
 */
function independent(k: number, repetitions: number, outputs: number): number {
  let state = 12_345;
  const uniform = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return ((state >>> 8) + 0.5) / 2 ** 24;
  };
  const gaussian = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const maps = Array.from({ length: repetitions }, () => ({
    normals: Array.from({ length: k }, () => Array.from({ length: D }, gaussian)),
    rows: Array.from({ length: outputs }, () =>
      Array.from({ length: D }, () => (uniform() < 0.5 ? -1 : 1) / Math.sqrt(outputs)),
    ),
  }));
  const product = (a: readonly number[], b: Float32Array) =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const encode = (tokens: Float32Array, isQuery: boolean) =>
    maps.flatMap(({ normals, rows }) => {
      const each = rowsOf(tokens, D).map((token) => ({
        cell: normals.reduce((bits, n, b) => bits + (product(n, token) > 0 ? 2 ** b : 0), 0),
        values: rows.map((row) => product(row, token)),
      }));
      return Array.from({ length: 2 ** k }, (_, cell) => {
        const there = each.filter((token) => token.cell === cell);
        const sum = rows.map((_, j) => there.reduce((total, { values }) => total + values[j]!, 0));
        if (isQuery) return sum;
        if (there.length > 0) return sum.map((x) => x / there.length);
        const distance = (a: number) => (a ^ cell).toString(2).replaceAll('0', '').length;
        const nearest = each.reduce((a, b) => (distance(b.cell) < distance(a.cell) ? b : a));
        return nearest.values;
      }).flat();
    });
  return recall(
    Array.from({ length: DOCUMENTS }, (_, d) => encode(setAt(sets.documents, d, D), false)),
    sets.queries.map((query) => encode(query, true)),
  );
}

// checks.md 4.8: the shape of the paper's table on made tokens.
test('more numbers find more, as an encoder written independently does', () => {
  const shapes = [
    { partitionBits: 1, repetitions: 5 },
    { partitionBits: 2, repetitions: 10 },
    { partitionBits: 3, repetitions: 20 },
    { partitionBits: 4, repetitions: 40 },
  ];
  const recalls = shapes.map((shape) => ours({ ...PAPER, ...shape }));
  for (let i = 1; i < recalls.length; i++) {
    expect(recalls[i]!).toBeGreaterThan(recalls[i - 1]! - 0.01);
  }
  expect(recalls[3]! - recalls[0]!).toBeGreaterThan(0.1);
  for (const at of [1, 2]) {
    const { partitionBits, repetitions } = shapes[at]!;
    expect(Math.abs(independent(partitionBits, repetitions, 8) - recalls[at]!)).toBeLessThan(0.05);
  }
});

test('other threads give the same encodings', async () => {
  const pool = new PoolLease();
  try {
    const encoder = new FdeEncoder({ dimensions: D }, { shared: true });
    const { tokens, offsets } = sets.documents;
    const expected = drain(encoder.documentSteps(tokens, offsets, ALONE));
    const crew = crewOf(await pool.get(), 3);
    expectSame(await runSteps(encoder.documentSteps(tokens, offsets, crew)), expected);
    expect(dot(expected, expected)).toBeGreaterThan(0);
  } finally {
    await pool.release();
  }
});
