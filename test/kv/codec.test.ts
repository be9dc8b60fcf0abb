import { expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import type { KvBases } from '../../src/kv/basis.js';
import { decodeSteps } from '../../src/kv/codec.js';
import { KvModel } from '../../src/kv/model.js';
import { bitsOf, type KvPlan, planBits } from '../../src/kv/plan.js';
import { codeTokensSteps, fillFrom, newSegment } from '../../src/kv/segment.js';
import { checkTokens } from '../../src/kv/shape.js';
import { TILE } from '../../src/kv/stream.js';
import { withKernels } from '../../src/kv/work-kernels.js';
import { madeUpTokens, relativeError } from './support.js';

const SHAPE = { layers: 1, kvHeads: 2, headDim: 16 };
const WIDTH = 32;
const TOKENS = 480;

const text = madeUpTokens(SHAPE, TOKENS, 61);
const trained = KvModel.train([madeUpTokens(SHAPE, 1_000, 62)], { ...SHAPE, sinks: 0 });

/** Bits a token that the codes of all tokens take, and the error of what they stand for. */
function coded(bases: KvBases, plan: KvPlan): { bits: number; error: number } {
  const exponents = plan.map((widths) => new Int8Array(widths.length));
  const exact = bases.map(() => new Set<number>());
  const fill = fillFrom(checkTokens('text', text, SHAPE), bases);
  const empty = newSegment(0, bases, plan, exponents, false);
  const { streams } = drain(codeTokensSteps(empty, TOKENS, exact, fill));
  const rows = streams.map((stream) =>
    drain(withKernels((kernels) => decodeSteps(kernels, stream, 0, 0, TOKENS))),
  );
  const expected = bases.map(({ kind }) => text[kind] as Float32Array);
  const centred = (values: Float32Array, basis: number) =>
    values.map((x, i) => x - bases[basis]!.mean[i % WIDTH]!);
  const errors = rows.map((of, i) => relativeError(centred(of, i), centred(expected[i]!, i)));
  const bytes = streams.reduce((sum, { codes }) => sum + codes.length, 0);
  return { bits: (bytes * 8) / TOKENS, error: Math.hypot(...errors) };
}

test('codes of KV coefficients take the bits of the budget, and err less with more of them', async () => {
  const { bases } = await trained;
  let before = Infinity;
  for (const budget of [0, 10, 32, 64, 128, 256, 400]) {
    const plan = planBits(
      bases.map(({ variances }) => variances),
      budget,
    );
    expect(plan.reduce((sum, widths) => sum + bitsOf(widths), 0)).toBe(budget);
    const { bits, error } = coded(bases, plan);
    expect(bits).toBe(budget);
    expect(TOKENS % TILE).toBe(0);
    expect(error).toBeLessThan(before);
    before = error;
  }
  expect(before).toBeLessThan(0.05);
});

test('bits by variance err less than as many for all components', async () => {
  const { bases } = await trained;
  for (const each of [1, 2, 3, 4]) {
    const uniform = bases.map(({ rank }) => new Uint8Array(rank).fill(each));
    const mixed = planBits(
      bases.map(({ variances }) => variances),
      2 * WIDTH * each,
    );
    const [one, other] = [coded(bases, mixed), coded(bases, uniform)];
    expect(one.bits).toBe(other.bits);
    expect(one.error).toBeLessThan(0.8 * other.error);
  }
});
