import { describe, expect, test } from 'vitest';
import { Kernels } from '../../src/kernels/index.js';
import { compiledModule } from '../../src/kernels/modules.js';
import { dotQueryCodes } from '../../src/kernels/scalar/dot.js';
import { dot, norm } from '../../src/kernels/scalar/float.js';
import { packCodes } from '../../src/kernels/scalar/pack.js';
import {
  borrowing,
  gaussians,
  padded,
  place,
  Random,
  randomCodes,
  tryKernels,
  VARIANTS,
} from './support.js';

for (const variant of VARIANTS) {
  const available = tryKernels(variant, true) !== undefined;
  const name = `the shared-memory binary, ${variant}`;
  describe.skipIf(!available)(available ? name : `${name} (not compiled by this engine)`, () => {
    test('computes as the plain one does', () => {
      const random = new Random(1);
      const kernels = new Kernels({ variant, shared: true });
      const plain = new Kernels({ variant });
      const [x, y] = [gaussians(random, 333), gaussians(random, 333)];
      const codes = randomCodes(random, 300, 4);
      const query = Int8Array.from(randomCodes(random, 300, 8));
      const [shared, own] = [kernels, plain].map((k) =>
        borrowing(k, () => ({
          float: k.call.dotF32(place(k, x), place(k, y), 333),
          integer: k.call.dotQueryCodes(
            place(k, padded(query, 320)),
            place(k, packCodes(codes, 4)),
            300,
            4,
          ),
          mixed: k.call.dotFloatCodes(
            place(k, padded(x, 384)),
            place(k, packCodes(codes, 4)),
            300,
            4,
          ),
        })),
      );
      expect(shared).toEqual(own);
      expect(shared!.integer).toBe(dotQueryCodes(query, codes, 4));
      expect(Math.abs(shared!.float - dot(x, y))).toBeLessThan(1e-5 * norm(x) * norm(y));
    });

    test('its memory is shared, and growing it leaves views alive', () => {
      const kernels = new Kernels({ variant, shared: true });
      expect(kernels.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
      const view = kernels.f32(kernels.copyF32([1, 2, 3]), 3);
      const far = kernels.alloc(kernels.memory.buffer.byteLength);
      expect(kernels.u8(far, 1000).every((byte) => byte === 0)).toBe(true);
      expect([...view]).toEqual([1, 2, 3]);
    });

    test('a second instance on the same memory changes nothing in it', () => {
      const kernels = new Kernels({ variant, shared: true });
      const pointer = place(kernels, new TextEncoder().encode('123456789'));
      expect(kernels.call.crc32(pointer, 9, 0) >>> 0).toBe(0xcbf43926);
      const before = new Uint8Array(kernels.memory.buffer).slice();
      const module = compiledModule(variant, true);
      const other = new WebAssembly.Instance(module, {
        env: { memory: kernels.memory as unknown as WebAssembly.Memory },
      });
      expect(Buffer.compare(new Uint8Array(kernels.memory.buffer), before)).toBe(0);
      // The checksum's table lies in the memory: both instances must go on finding it.
      const crc32 = other.exports.crc32 as (pointer: number, length: number, crc: number) => number;
      expect(crc32(pointer, 9, 0) >>> 0).toBe(0xcbf43926);
      expect(kernels.call.crc32(pointer, 9, 0) >>> 0).toBe(0xcbf43926);
    });
  });
}
