import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels, type KernelVariant } from '../../src/kernels/index.js';

export const VARIANTS: readonly KernelVariant[] = ['simd', 'relaxed-simd'];

type Bytes =
  | BigInt64Array
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Uint8Array
  | Uint32Array;

/** The kernels of a variant, or undefined where the engine does not compile it. */
export function tryKernels(variant: KernelVariant, shared = false): Kernels | undefined {
  try {
    return new Kernels({ variant, shared });
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

/** The same tests for each binary; one that the engine does not compile is reported as skipped. */
export function describeBinaries(what: string, define: (kernels: Kernels) => void): void {
  for (const variant of VARIANTS) {
    const kernels = tryKernels(variant);
    if (kernels !== undefined) describe(`${what}, ${variant}`, () => define(kernels));
    else describe.skip(`${what}, ${variant}`, () => test('this engine does not compile it'));
  }
}

/** A test of both binaries at once: that they agree to the last bit. */
export function testBothBinaries(name: string, run: (simd: Kernels, relaxed: Kernels) => void) {
  const simd = new Kernels({ variant: 'simd' });
  const relaxed = tryKernels('relaxed-simd');
  test.skipIf(relaxed === undefined)(
    `${name}${relaxed === undefined ? ' (this engine does not compile relaxed SIMD)' : ''}`,
    () => run(simd, relaxed!),
  );
}

/** Writes an array's bytes at any address, aligned or not. */
export function write(kernels: Kernels, pointer: number, array: Bytes): void {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  kernels.u8(pointer, bytes.length).set(bytes);
}

/** A copy of n float32 at any address. */
export function readF32(kernels: Kernels, pointer: number, n: number): Float32Array {
  return new Float32Array(kernels.u8(pointer, n * 4).slice().buffer);
}

/** Fresh memory with the array at `offset` bytes from a 64-byte boundary; 64 zero bytes follow. */
export function place(kernels: Kernels, array: Bytes, offset = 0): number {
  const pointer = kernels.alloc(offset + array.byteLength + 64) + offset;
  write(kernels, pointer, array);
  return pointer;
}

/** Runs with memory that is given back afterwards. */
export function borrowing<T>(kernels: Kernels, run: () => T): T {
  const mark = kernels.mark();
  try {
    return run();
  } finally {
    kernels.release(mark);
  }
}

export function gaussians(random: Random, n: number, deviation = 1, mean = 0): Float32Array {
  return Float32Array.from({ length: n }, () => mean + deviation * random.gaussian());
}

export function randomCodes(random: Random, n: number, bits: number): Uint8Array {
  return Uint8Array.from({ length: n }, () => random.below(2 ** bits));
}

/** The array with zeros behind it, `length` elements in all. */
export function padded<T extends Float32Array | Int8Array | Int16Array>(
  array: T,
  length: number,
): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}

/** Asserts equality of arrays, to the bit, with a short message: vitest's diff is slow on long ones. */
export function expectSame(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what = '',
): void {
  expect(actual.length, `length ${what}`).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    expect(actual[i], `element ${i} ${what}`).toBe(expected[i]);
  }
}

/** The next float32 after x, away from zero (or towards it). */
export function neighbour(x: number, direction: 1 | -1): number {
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  value[0] = x;
  bits[0]! += direction;
  return value[0]!;
}

export { Random };
