import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { TOKEN_BITS } from '../../src/fde/token-codec.js';
import { TokenStore } from '../../src/fde/token-store.js';

describe.each(TOKEN_BITS)('%s bits', (bits) => {
  test('maxSim', () => {
    for (const d of [1, 2, 3, 8, 31, 128, 300]) {
      const store = new TokenStore({ dimensions: d, bits, shared: false });
      const random = new Random(d);
      const rows = (n: number) =>
        Float32Array.from({ length: n * d }, () => random.gaussian() / Math.sqrt(d));
      const offsets = Uint32Array.from([0, 3, 3, 10, 11, 40]);
      const tokens = rows(40);
      const slots = store.add(tokens, offsets);
      for (const m of [1, 4, 5, 33]) {
        const q = rows(m);
        const got = store.maxSim(q, slots);
        const want = [...slots].map((s) => {
          const t = store.tokensOf(s);
          let total = 0;
          for (let i = 0; i < m; i++) {
            let best = -Infinity;
            for (let r = 0; r < t.length / d; r++) {
              let dot = 0;
              for (let j = 0; j < d; j++) dot += q[i * d + j]! * t[r * d + j]!;
              best = Math.max(best, dot);
            }
            if (best > -Infinity) total += best;
          }
          return total;
        });
        got.forEach((x, i) => expect(Math.abs(x - want[i]!)).toBeLessThan(1e-3 * m));
        const err = Math.max(...want.map((x, i) => Math.abs(x - got[i]!))) / m;
        if (m === 33) console.log(bits, d, err);
        const ranked = store.rank(q, slots, 3);
        if (d === 1 && m === 1 && bits === 32) console.log(got, want, ranked, q, tokens);
        const order = [...slots].sort((a, b) => got[b]! - got[a]! || a - b).slice(0, 3);
        expect([...ranked.slots]).toEqual(order);
      }
    }
  });
});
