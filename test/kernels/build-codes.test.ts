import { expect, test } from 'vitest';
import { dotBuildCodes } from '../../src/kernels/scalar/dot.js';
import { borrowing, describeBinaries, place, Random, randomCodes } from './support.js';

/** Positions in the primary records of one cache line and of several, of all widths. */
const SLOTS = Array.from({ length: 64 }, (_, i) => (i + 1) * 64);
const TOP = 127;

describeBinaries('build codes', (kernels) => {
  const { call } = kernels;

  test('take a byte a coordinate and 12 bytes more', () => {
    for (let lines = 1; lines <= 4; lines++) {
      const bytes = 64 * lines;
      // Records of 2-bit codes leave out the slots that the constants take up.
      expect(call.buildCodeBytes(bytes, 2, 4)).toBe(4 * bytes);
      expect(call.buildCodeBytes(bytes, 2, 8)).toBe(4 * bytes);
      expect(call.buildCodeBytes(bytes, 4, 4)).toBe(2 * bytes + 12);
      expect(call.buildCodeBytes(bytes, 7, 8)).toBe(bytes + 12);
    }
  });

  test('dots: 64 … 4,096 slots, random and extreme, at any address', () => {
    const random = new Random(1);
    for (const slots of SLOTS) {
      const top = new Uint8Array(slots).fill(TOP);
      const operands: readonly [Uint8Array, Uint8Array][] = [
        [randomCodes(random, slots, 7), randomCodes(random, slots, 7)],
        [top, top],
        [top, new Uint8Array(slots)],
        [top, top.map((_, i) => (i % 2) * TOP)],
      ];
      operands.forEach(([a, b], i) => {
        borrowing(kernels, () => {
          const [pa, pb] = [place(kernels, a, (slots / 64) % 16), place(kernels, b, i * 5)];
          expect(call.dotBuildCodes(pa, pb, slots)).toBe(dotBuildCodes(a, b));
        });
      });
    }
  });

  test('dots read nothing behind the codes: scale, norm and sum follow there', () => {
    const random = new Random(2);
    const [a, b] = [randomCodes(random, 144, 7), randomCodes(random, 144, 7)];
    borrowing(kernels, () => {
      const dot = call.dotBuildCodes(place(kernels, a), place(kernels, b), 128);
      expect(dot).toBe(dotBuildCodes(a.subarray(0, 128), b.subarray(0, 128)));
    });
  });

  test('each slot meets its own', () => {
    for (let at = 0; at < 192; at++) {
      const a = new Uint8Array(192);
      a[at] = TOP;
      const b = Uint8Array.from({ length: 192 }, (_, i) => (i * 3) % 128);
      borrowing(kernels, () => {
        expect(call.dotBuildCodes(place(kernels, a), place(kernels, b), 192)).toBe(TOP * b[at]!);
      });
    }
  });
});
