import { afterEach, expect, test, vi } from 'vitest';
import { Kernels } from '../../src/kernels/index.js';
import { compressKv } from '../../src/kv/model.js';
import { madeUpTokens } from './support.js';

const SHAPE = { layers: 2, kvHeads: 2, headDim: 32 };
const WIDTH = 64;
const QUERY_HEADS = 4;

afterEach(() => {
  vi.restoreAllMocks();
});

/** The most bytes of kernel memory that are in use while `run` runs, beyond those before. */
function peakOf(run: () => unknown): number {
  const alloc = Kernels.prototype.alloc;
  const before = new Map<Kernels, number>();
  let peak = 0;
  vi.spyOn(Kernels.prototype, 'alloc').mockImplementation(function (this: Kernels, ...args) {
    if (!before.has(this)) before.set(this, this.usedBytes);
    const address = alloc.apply(this, args);
    peak = Math.max(peak, this.usedBytes - before.get(this)!);
    return address;
  });
  run();
  vi.restoreAllMocks();
  return peak;
}

test.each([
  undefined,
  { theta: 10_000, style: 'half' } as const,
])('attending takes the stated memory, whatever the number of tokens; rope: %j', (rope) => {
  const peaks = [600, 6000].map((tokens) => {
    const text = madeUpTokens(SHAPE, tokens, 51);
    const cache = compressKv(text, { ...SHAPE, basis: 'own' });
    const positions = Array.from({ length: 50 }, (_, i) => tokens - 50 + i);
    const queries = new Float32Array(50 * QUERY_HEADS * SHAPE.headDim).fill(0.1);
    const peak = peakOf(() =>
      cache.attend({ layer: 1, queries, positions, ...(rope && { rope }) }),
    );
    const [rank, rows] = [2 * WIDTH, 128];
    const stated = 10 * WIDTH * rank + 1200 * rank + (4096 + 4 * rank) * rows;
    expect(peak).toBeLessThan(stated);
    return peak;
  });
  expect(Math.abs(peaks[1]! - peaks[0]!)).toBeLessThan(0.2 * peaks[0]!);
});
