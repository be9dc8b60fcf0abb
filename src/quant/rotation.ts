import { Random } from '../base/random.js';
import { alignUp, type Kernels } from '../kernels/index.js';

/** Two rounds of random signs for rotate() (wasm/rotate.ts), as words 0 or 2^31, in fresh memory. */
export function writeSigns(kernels: Kernels, dimensions: number, seed: number): number {
  const length = alignUp(dimensions, 4);
  const signs = kernels.alloc(2 * length * 4);
  const random = new Random(seed);
  const words = kernels.u32(signs, 2 * length);
  for (let round = 0; round < 2; round++) {
    for (let j = 0; j < dimensions; j++) {
      words[round * length + j] = random.uint32() & 0x8000_0000;
    }
  }
  return signs;
}
