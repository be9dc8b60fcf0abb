import { expect, test } from 'vitest';
import { loadTokenSet } from '../../datasets/token-set.js';
import { meanOverJudged, ndcgAtK } from '../../src/eval/metrics.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import { LeanMultiIndex } from '../../src/fde/lean-multi-index.js';
import { resolveMulti } from '../../src/fde/multi-options.js';
import { TokenStore } from '../../src/fde/token-store.js';

const real = loadTokenSet();

/** The number of values that so large a share does not exceed. */
function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
}

test.skipIf(real === undefined)(
  'on real tokens (climate-fever-tokens128, one seed) few candidates and a quarter of the bytes serve',
  async () => {
    const { corpus, queries, qrels, dimensions } = real!;
    const rowsOf = (q: number) =>
      queries.tokens.subarray(
        queries.offsets[q]! * dimensions,
        queries.offsets[q + 1]! * dimensions,
      );
    const exactStore = new TokenStore({ dimensions, bits: 8, shared: false });
    const slots = exactStore.add(corpus.tokens, corpus.offsets);
    const best = queries.ids.map((_, q) => exactStore.rank(rowsOf(q), slots, 1).slots[0]!);

    const { fde } = resolveMulti({ dimensions, fdeDimensions: 1280 });
    const encoder = new FdeEncoder(fde);
    const encodings = encoder.encodeDocuments(corpus.tokens, corpus.offsets);
    const n = encoder.dimensions;
    const dot = (query: Float32Array, d: number) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += query[i]! * encodings[d * n + i]!;
      return sum;
    };
    const ranks = best.map((wanted, q) => {
      const query = encoder.encodeQuery(rowsOf(q));
      const own = dot(query, wanted);
      return corpus.ids.filter((_, d) => dot(query, d) > own).length + 1;
    });
    expect(quantile(ranks, 0.5)).toBeLessThanOrEqual(3);
    expect(quantile(ranks, 0.95)).toBeLessThanOrEqual(30);

    const index = await LeanMultiIndex.build(corpus, { dimensions, tokenBits: 4 });
    const { bytesPerDocument, index: inner, tokens } = index.stats();
    expect(inner.bytesPerVector.primary).toBeLessThanOrEqual(160);
    const float32 = (tokens * dimensions * 4) / corpus.ids.length;
    expect(bytesPerDocument.tokens).toBeLessThanOrEqual(float32 / 4);
    const found = queries.ids.map((_, q) => index.search(rowsOf(q), 10).ids);
    const missed = best.filter((wanted, q) => !found[q]!.includes(wanted)).length;
    expect(missed / best.length).toBeLessThan(0.05);
    const rankings = new Map(
      queries.ids.map((id, q) => [id, Array.from(found[q]!, (d) => corpus.ids[d]!)] as const),
    );
    // Exhaustive MaxSim of float32 tokens gives .4842.
    expect(meanOverJudged(ndcgAtK, rankings, qrels, 10).mean).toBeGreaterThan(0.4742);
    await index.close();
  },
);
