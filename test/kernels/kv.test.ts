import { expect, test } from 'vitest';
import { fromHalf, toHalf } from '../../src/kernels/scalar/half.js';
import { TILE } from '../../src/kernels/scalar/kv.js';
import { expectSameTile, panelsOf, randomTile } from './kv-tiles.js';
import { borrowing, describeBinaries, gaussians, place, Random, readF32 } from './support.js';

describeBinaries('tiles of a KV-cache', (kernels) => {
  const { call } = kernels;

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('of %s bits equal the scalar twin to the bit', (width) => {
    const random = new Random(width + 1);
    for (const n of [1, 2, 7, 64])
      expectSameTile(kernels, randomTile(random, new Uint8Array(n).fill(width)));
  });

  test('of mixed widths, in any order, equal the scalar twin', () => {
    const random = new Random(10);
    for (let round = 0; round < 50; round++) {
      const widths = Uint8Array.from({ length: 1 + random.below(40) }, () => random.below(9));
      expectSameTile(kernels, randomTile(random, widths));
    }
  });

  test('keep their codes when what was decoded is coded again', () => {
    const random = new Random(11);
    const { rows, widths, steps } = randomTile(random, Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1, 0));
    borrowing(kernels, () => {
      const [w, s] = [place(kernels, widths), place(kernels, steps)];
      const panels = place(kernels, panelsOf(rows));
      const [first, second] = [kernels.alloc(128), kernels.alloc(128)];
      call.kvEncode(panels, 9, w, s, first);
      call.kvDecode(first, 9, w, s, panels);
      call.kvEncode(panels, 9, w, s, second);
      expect(kernels.u8(second, 128)).toEqual(kernels.u8(first, 128));
    });
  });

  test('take rows of tokens at any slot', () => {
    const random = new Random(12);
    for (const [slot, count, n] of [
      [0, 16, 5],
      [3, 6, 1],
      [7, 9, 12],
      [15, 1, 3],
    ] as const) {
      const stride = n + 3;
      const tokens = gaussians(random, count * stride);
      const before = Array.from({ length: n }, () => gaussians(random, TILE));
      const expected = before.map((row, j) =>
        row.map((x, t) => (t >= slot && t < slot + count ? tokens[(t - slot) * stride + j]! : x)),
      );
      borrowing(kernels, () => {
        const panels = place(kernels, panelsOf(before));
        call.kvToPanels(place(kernels, tokens), count, stride, n, slot, panels);
        expect(readF32(kernels, panels, n * TILE)).toEqual(panelsOf(expected));
      });
    }
  });

  test('halves are those of the scalar twin', () => {
    const random = new Random(13);
    for (const n of [0, 1, 5, 33]) {
      const numbers = gaussians(random, n).map((x, i) => x * 10 ** ((i % 11) - 7));
      borrowing(kernels, () => {
        const to = kernels.alloc(n * 2 + 2);
        call.kvToHalves(place(kernels, numbers), n, to);
        const halves = Array.from(kernels.u16(to, n));
        expect(halves).toEqual(Array.from(numbers, toHalf));
        const back = kernels.alloc(n * 4);
        call.kvFromHalves(to, n, back);
        expect(readF32(kernels, back, n)).toEqual(Float32Array.from(halves, fromHalf));
      });
    }
  });
});
