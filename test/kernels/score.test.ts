import { expect, test } from 'vitest';
import type { KernelExports } from '../../src/kernels/exports.js';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/primary.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
} from './support.js';

type Bits = scalar.PrimaryCodeBits;

const WIDTHS: readonly Bits[] = [2, 4, 7];
const LENGTHS = Array.from({ length: 16 }, (_, i) => (i + 1) * 64);
const SENTINEL = 12_345;

function kernelOf(call: KernelExports, bits: Bits): KernelExports['scoreRecords2'] {
  return { 2: call.scoreRecords2, 4: call.scoreRecords4, 7: call.scoreRecords7 }[bits];
}

/** A record with this code in every slot that is not the constants'. */
function filledRecord(
  bytes: number,
  bits: Bits,
  code: (slot: number) => number,
  scale: number,
  halfNorm: number | undefined,
): Uint8Array {
  const perByte = bits === 7 ? 1 : 8 / bits;
  const record = Uint8Array.from({ length: bytes }, (_, at) => {
    let byte = 0;
    for (let k = 0; k < perByte; k++) byte |= code(at * perByte + k) << (k * bits);
    return byte;
  });
  const words = new DataView(record.buffer);
  words.setFloat32(bytes - 4, scale, true);
  if (halfNorm !== undefined) words.setFloat32(bytes - 8, halfNorm, true);
  return record;
}

/** Records with random and with extreme codes; half norms where they are to have them. */
function records(random: Random, bytes: number, bits: Bits, hasNorm: boolean): Uint8Array[] {
  const top = 2 ** bits - 1;
  const codes: readonly ((slot: number) => number)[] = [
    () => 0,
    () => top,
    (slot) => (slot % 2 === 0 ? top : 0),
    ...Array.from({ length: 7 }, () => () => random.below(top + 1)),
  ];
  return codes.map((code) => {
    const scale = Math.fround(random.gaussian() ** 2);
    const halfNorm = hasNorm ? Math.fround(100 * random.uniform()) : undefined;
    return filledRecord(bytes, bits, code, scale, halfNorm);
  });
}

/** Random queries and the corners of their range; 0 in the slots of the constants. */
function queries(random: Random, bytes: number, bits: Bits, hasNorm: boolean) {
  const order = scalar.primarySlotOrder(bytes, bits, hasNorm ? 8 : 4);
  const codes: readonly ((j: number) => number)[] = [
    () => random.below(256) - 128,
    () => 127,
    () => -128,
    (j) => (j % 3 === 0 ? -128 : 127),
    () => 0,
  ];
  return codes.map((code): scalar.PrimaryQuery => {
    const filled = new Int8Array(scalar.primarySlots(bytes, bits));
    order.forEach((slot, j) => {
      filled[slot] = code(j);
    });
    const total = filled.reduce((sum, c) => sum + c, 0);
    const step = Math.fround(random.uniform());
    return { codes: filled, step, offset: Math.fround((total * (2 ** bits - 1)) / 2) };
  });
}

/** The kernel's distances of the records at these addresses, four a group. */
function distances(
  kernels: Kernels,
  { codes, step, offset }: scalar.PrimaryQuery,
  addresses: readonly number[],
  bytes: number,
  bits: Bits,
  hasNorm: boolean,
): Float32Array {
  return borrowing(kernels, () => {
    const count = addresses.length;
    const out = place(kernels, new Float32Array(count + 4).fill(SENTINEL));
    kernelOf(kernels.call, bits)(
      place(kernels, codes),
      place(kernels, Float32Array.of(step, offset)),
      hasNorm ? 1 : 0,
      place(kernels, Uint32Array.from(addresses)),
      count / 4,
      bytes,
      out,
    );
    const written = readF32(kernels, out, count + 4);
    expect([...written.subarray(count)]).toEqual(new Array(4).fill(SENTINEL));
    return written.subarray(0, count);
  });
}

/** Groups of addresses in random order, repeated ones among them. */
function shuffled(random: Random, choices: number, groups: number): number[] {
  return Array.from({ length: groups * 4 }, () => random.below(choices));
}

describeBinaries('traversal distances', (kernels) => {
  for (const bits of WIDTHS) {
    test.each([
      false,
      true,
    ])(`${bits} bits, half norms %s: the twin’s to the bit, 64 … 1024 bytes, 0 … 9 groups`, (hasNorm) => {
      const random = new Random(bits);
      for (const bytes of LENGTHS) {
        const pool = records(random, bytes, bits, hasNorm);
        borrowing(kernels, () => {
          const addresses = pool.map((record) => place(kernels, record));
          for (const query of queries(random, bytes, bits, hasNorm)) {
            const expected = pool.map((r) => scalar.primaryDistance(query, r, bits, hasNorm));
            for (const groups of [0, 1, 2, 3, 9]) {
              const chosen = shuffled(random, pool.length, groups);
              expectSame(
                distances(
                  kernels,
                  query,
                  chosen.map((i) => addresses[i]!),
                  bytes,
                  bits,
                  hasNorm,
                ),
                chosen.map((i) => expected[i]!),
                `${bytes} bytes, ${groups} groups`,
              );
            }
          }
        });
      }
    });

    test(`${bits} bits: each place of a group has its own record and its own sum`, () => {
      const bytes = 64;
      const random = new Random(bits + 10);
      const pool = records(random, bytes, bits, true);
      const query = queries(random, bytes, bits, true)[0]!;
      borrowing(kernels, () => {
        const addresses = pool.map((record) => place(kernels, record));
        for (let place = 0; place < 4; place++) {
          const group = [4, 4, 4, 4];
          group[place] = 5;
          const chosen = group.map((i) => addresses[i]!);
          expectSame(
            distances(kernels, query, chosen, bytes, bits, true),
            group.map((i) => scalar.primaryDistance(query, pool[i]!, bits, true)),
          );
        }
      });
    });

    test(`${bits} bits: records and queries at any address`, () => {
      const random = new Random(bits + 20);
      const [bytes, hasNorm] = [128, true];
      const pool = records(random, bytes, bits, hasNorm).slice(0, 4);
      const query = queries(random, bytes, bits, hasNorm)[0]!;
      const expected = pool.map((r) => scalar.primaryDistance(query, r, bits, hasNorm));
      for (let offset = 0; offset < 16; offset++) {
        borrowing(kernels, () => {
          const addresses = pool.map((r, i) => place(kernels, r, (offset * (i + 1)) % 16));
          expectSame(distances(kernels, query, addresses, bytes, bits, hasNorm), expected);
        });
      }
    });

    test(`${bits} bits: a query of zeros sees but the half norms`, () => {
      const random = new Random(bits + 30);
      const codes = new Int8Array(scalar.primarySlots(64, bits));
      for (const hasNorm of [false, true]) {
        const pool = records(random, 64, bits, hasNorm).slice(0, 4);
        borrowing(kernels, () => {
          const addresses = pool.map((record) => place(kernels, record));
          const zero = { codes, step: 1, offset: 0 };
          expectSame(
            distances(kernels, zero, addresses, 64, bits, hasNorm),
            hasNorm ? pool.map(scalar.primaryHalfNorm) : [0, 0, 0, 0],
          );
        });
      }
    });

    test(`${bits} bits: the bytes of the constants are no codes, whatever they are`, () => {
      const random = new Random(bits + 40);
      const pool = records(random, 64, bits, true).slice(3, 7);
      const query = queries(random, 64, bits, true)[0]!;
      for (const scale of [-(2 ** 127), -1, -(2 ** -149), 2 ** -149, 1.999999, 2 ** 120]) {
        for (const record of pool) new DataView(record.buffer).setFloat32(60, scale, true);
        const expected = pool.map((r) => scalar.primaryDistance(query, r, bits, true));
        borrowing(kernels, () => {
          const addresses = pool.map((record) => place(kernels, record));
          expectSame(distances(kernels, query, addresses, 64, bits, true), expected, `${scale}`);
        });
      }
    });

    test(`${bits} bits: encoded records and queries give half norm − <q̃, ẑ>`, () => {
      const random = new Random(bits + 50);
      const bytes = 192;
      const order = scalar.primarySlotOrder(bytes, bits, 8);
      const inSlots = () => {
        const z = new Float32Array(scalar.primarySlots(bytes, bits));
        gaussians(random, order.length).forEach((x, j) => {
          z[order[j]!] = x;
        });
        return z;
      };
      const pool = Array.from({ length: 8 }, (_, i) =>
        scalar.primaryEncode(inSlots(), bits, order.length, 'optimised', i * 10),
      );
      const query = scalar.primaryQuery(inSlots(), bits);
      borrowing(kernels, () => {
        const addresses = pool.map((record) => place(kernels, record));
        distances(kernels, query, addresses, bytes, bits, true).forEach((distance, i) => {
          const decoded = scalar.primaryDecode(pool[i]!, bits);
          const product = order.reduce(
            (sum, slot) => sum + query.step * query.codes[slot]! * decoded[slot]!,
            0,
          );
          expect(Math.abs(distance - (i * 10 - product))).toBeLessThan(1e-3);
        });
      });
    });
  }
});
