import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/dot.js';
import { norm } from '../../src/kernels/scalar/float.js';
import { type CodeBits, packCodes } from '../../src/kernels/scalar/pack.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  padded,
  Random,
  randomCodes,
  testBothBinaries,
  write,
} from './support.js';

const LENGTH_MAX = 1100;
const WIDTHS: readonly CodeBits[] = [2, 3, 4, 7, 8];

/** The query is the signed operand, but with 8-bit codes the one of 0 … 127. */
function queryRange(bits: CodeBits): { least: number; most: number } {
  return bits === 8 ? { least: 0, most: 127 } : { least: -128, most: 127 };
}

interface Operands {
  name: string;
  query: Int8Array;
  codes: Uint8Array;
}

/** Random operands and the corners of their ranges, LENGTH_MAX long. */
function operands(bits: CodeBits): Operands[] {
  const random = new Random(bits);
  const { least, most } = queryRange(bits);
  const top = 2 ** bits - 1;
  const fill = (value: (i: number) => number) =>
    Int8Array.from({ length: LENGTH_MAX }, (_, i) => value(i));
  const all = (code: number) => new Uint8Array(LENGTH_MAX).fill(code);
  const any = fill(() => least + random.below(most - least + 1));
  return [
    { name: 'random', query: any, codes: randomCodes(random, LENGTH_MAX, bits) },
    { name: 'codes 0', query: any, codes: all(0) },
    { name: 'codes top', query: any, codes: all(top) },
    { name: 'top times largest', query: fill(() => most), codes: all(top) },
    { name: 'top times least', query: fill(() => least), codes: all(top) },
    { name: '0 times largest', query: fill(() => most), codes: all(0) },
    {
      name: 'corners alternating',
      query: fill((i) => (i % 3 === 0 ? least : most)),
      codes: all(0).map((_, i) => (i % 2 === 0 ? top : 0)),
    },
  ];
}

/** Buffers for operands at any byte offset, and the kernel's answer for them. */
class Buffers {
  readonly query: number;
  readonly codes: number;
  private readonly kernels: Kernels;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
    this.query = kernels.alloc(paddedLength(LENGTH_MAX) * 4 + 32);
    this.codes = kernels.alloc(paddedLength(LENGTH_MAX) + 32);
  }

  integer(query: Int8Array, packed: Uint8Array, bits: CodeBits, offset: number): number {
    const q = this.query + offset;
    const c = this.codes + ((offset * 5) % 16);
    write(this.kernels, q, padded(query, paddedLength(query.length)));
    write(this.kernels, c, packed);
    return this.kernels.call.dotQueryCodes(q, c, query.length, bits);
  }

  mixed(query: Float32Array, packed: Uint8Array, bits: CodeBits, offset: number): number {
    const q = this.query + offset;
    const c = this.codes + ((offset * 5) % 16);
    write(this.kernels, q, padded(query, paddedLength(query.length)));
    write(this.kernels, c, packed);
    return this.kernels.call.dotFloatCodes(q, c, query.length, bits);
  }
}

/** A whole block of any width. */
function paddedLength(n: number): number {
  return Math.ceil(n / 64) * 64;
}

describeBinaries('integer dots', (kernels) => {
  for (const bits of WIDTHS) {
    describe(`of ${bits}-bit codes`, () => {
      test.each(operands(bits))('$name: every length 1 … 1100', ({ query, codes }) => {
        borrowing(kernels, () => {
          const buffers = new Buffers(kernels);
          for (let n = 1; n <= LENGTH_MAX; n++) {
            const q = query.subarray(0, n);
            const c = codes.subarray(0, n);
            const dot = buffers.integer(q, packCodes(c, bits), bits, n % 16);
            if (dot !== scalar.dotQueryCodes(q, c, bits)) expect.fail(`n = ${n}: ${dot}`);
          }
        });
      });

      test('every alignment within 16 bytes', () => {
        const { query, codes } = operands(bits)[0]!;
        borrowing(kernels, () => {
          const buffers = new Buffers(kernels);
          for (const n of [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 257, 768, 1100]) {
            const [q, c] = [query.subarray(0, n), codes.subarray(0, n)];
            const expected = scalar.dotQueryCodes(q, c, bits);
            for (let offset = 0; offset < 16; offset++) {
              expect(buffers.integer(q, packCodes(c, bits), bits, offset)).toBe(expected);
            }
          }
        });
      });
    });
  }

  test('a zero query hides whatever the codes hold: the constants at the end of a record', () => {
    borrowing(kernels, () => {
      const buffers = new Buffers(kernels);
      for (const bits of [2, 3, 4, 7] as const) {
        const garbage = new Uint8Array(64).fill(0xff);
        expect(buffers.integer(new Int8Array(32), garbage, bits, 0)).toBe(0);
      }
    });
  });
});

describeBinaries('dots of two vectors of codes', (kernels) => {
  function checkPairs(bits: CodeBits, a: Uint8Array, b: Uint8Array): void {
    borrowing(kernels, () => {
      const left = kernels.alloc(paddedLength(a.length) + 32);
      const right = kernels.alloc(paddedLength(a.length) + 32);
      for (let n = 1; n <= a.length; n++) {
        const [x, y] = [a.subarray(0, n), b.subarray(0, n)];
        write(kernels, left + (n % 16), packCodes(x, bits));
        write(kernels, right + ((n * 3) % 16), packCodes(y, bits));
        const dot = kernels.call.dotCodePair(left + (n % 16), right + ((n * 3) % 16), n, bits);
        if (dot !== scalar.dotCodePair(x, y)) expect.fail(`dot of n = ${n}: ${dot}`);
        const sum = kernels.call.sumCodes(left + (n % 16), n, bits);
        if (sum !== scalar.sumCodes(x)) expect.fail(`sum of n = ${n}: ${sum}`);
      }
    });
  }

  test.each([2, 3, 4, 8] as const)('%s bits: every length 1 … 1100, random and extreme', (bits) => {
    const random = new Random(bits);
    const [a, b] = [randomCodes(random, LENGTH_MAX, bits), randomCodes(random, LENGTH_MAX, bits)];
    const top = new Uint8Array(LENGTH_MAX).fill(2 ** bits - 1);
    checkPairs(bits, a, b);
    checkPairs(bits, top, top);
    checkPairs(bits, top, new Uint8Array(LENGTH_MAX));
  });

  test('7 bits: sums', () => {
    const codes = randomCodes(new Random(7), 333, 7);
    borrowing(kernels, () => {
      const pointer = kernels.alloc(400);
      write(kernels, pointer, packCodes(codes, 7));
      expect(kernels.call.sumCodes(pointer, 333, 7)).toBe(scalar.sumCodes(codes));
    });
  });

  test('8 bits: 33,000 products of 255 · 255 fit', () => {
    const n = 33_000;
    const top = new Uint8Array(n).fill(255);
    borrowing(kernels, () => {
      const pointer = kernels.alloc(paddedLength(n));
      write(kernels, pointer, packCodes(top, 8));
      expect(kernels.call.dotCodePair(pointer, pointer, n, 8)).toBe(n * 255 * 255);
    });
  });
});

describeBinaries('float32 times codes', (kernels) => {
  test.each(WIDTHS)('%s bits: within 1e-5 ‖q‖‖c‖ of float64, every length 1 … 1100', (bits) => {
    const random = new Random(bits);
    const query = gaussians(random, LENGTH_MAX, 2, 0.3);
    const codes = randomCodes(random, LENGTH_MAX, bits);
    borrowing(kernels, () => {
      const buffers = new Buffers(kernels);
      for (let n = 1; n <= LENGTH_MAX; n++) {
        const [q, c] = [query.subarray(0, n), codes.subarray(0, n)];
        const error =
          buffers.mixed(q, packCodes(c, bits), bits, n % 16) - scalar.dotFloatCodes(q, c);
        if (Math.abs(error) > 1e-5 * norm(q) * norm(c)) expect.fail(`n = ${n}: off by ${error}`);
      }
    });
  });

  test('exact where all products are: integers as queries', () => {
    borrowing(kernels, () => {
      const buffers = new Buffers(kernels);
      for (const bits of WIDTHS) {
        const { query, codes } = operands(bits)[0]!;
        const q = Float32Array.from(query.subarray(0, 200));
        const packed = packCodes(codes.subarray(0, 200), bits);
        const expected = scalar.dotFloatCodes(q, codes.subarray(0, 200));
        for (let offset = 0; offset < 16; offset++) {
          expect(buffers.mixed(q, packed, bits, offset)).toBe(expected);
        }
      }
    });
  });
});

testBothBinaries('float32 times codes is bit-identical in both binaries', (simd, relaxed) => {
  const results = [simd, relaxed].map((kernels) => {
    const random = new Random(9);
    const query = gaussians(random, LENGTH_MAX);
    return borrowing(kernels, () => {
      const buffers = new Buffers(kernels);
      return WIDTHS.flatMap((bits) => {
        const codes = randomCodes(random, LENGTH_MAX, bits);
        return Array.from({ length: LENGTH_MAX }, (_, i) => {
          const packed = packCodes(codes.subarray(0, i + 1), bits);
          return buffers.mixed(query.subarray(0, i + 1), packed, bits, i % 16);
        });
      });
    });
  });
  expectSame(results[0]!, results[1]!);
});
