import { describe, expect, test } from 'vitest';
import type { CodedError } from '../../src/base/errors.js';
import { alignUp, Kernels, paddedDimensions } from '../../src/kernels/index.js';

const PAGE_BYTES = 65_536;

function errorOf(run: () => unknown): CodedError {
  try {
    run();
  } catch (error) {
    return error as CodedError;
  }
  throw new Error('nothing was thrown');
}

describe('alloc', () => {
  test('gives zeroed memory, aligned to 64 bytes or as asked', () => {
    const kernels = new Kernels();
    for (const bytes of [1, 63, 64, 65, 1000]) {
      const pointer = kernels.alloc(bytes);
      expect(pointer % 64).toBe(0);
      expect(kernels.u8(pointer, bytes).every((byte) => byte === 0)).toBe(true);
      expect(kernels.usedBytes).toBe(pointer + bytes);
    }
    for (const alignment of [1, 16, 4096]) {
      expect(kernels.alloc(3, alignment) % alignment).toBe(0);
    }
  });

  test('blocks do not overlap each other, nor what the program keeps for itself', () => {
    const kernels = new Kernels();
    let end = kernels.call.heapBase();
    for (const bytes of [5, 0, 100_000, 64, 1]) {
      const pointer = kernels.alloc(bytes);
      expect(pointer).toBeGreaterThanOrEqual(end);
      end = pointer + bytes;
    }
  });

  test('memory that was used and released comes back zeroed', () => {
    const kernels = new Kernels();
    const mark = kernels.mark();
    const first = kernels.alloc(500);
    kernels.u8(first, 500).fill(0xff);
    kernels.release(mark);
    expect(kernels.alloc(100)).toBe(first);
    const rest = kernels.alloc(PAGE_BYTES * 3);
    expect(kernels.u8(first, 100).every((byte) => byte === 0)).toBe(true);
    expect(kernels.u8(rest, PAGE_BYTES * 3).every((byte) => byte === 0)).toBe(true);
  });

  test('releases nest', () => {
    const kernels = new Kernels();
    const outer = kernels.mark();
    kernels.alloc(100);
    const inner = kernels.mark();
    kernels.alloc(100);
    kernels.release(inner);
    expect(kernels.usedBytes).toBe(inner);
    kernels.release(outer);
    expect(kernels.usedBytes).toBe(outer);
  });
});

describe('growth', () => {
  test('keeps the contents, detaches old views, and new views see them', () => {
    const kernels = new Kernels();
    const pointer = kernels.copyF32([1, 2, 3]);
    const view = kernels.f32(pointer, 3);
    kernels.alloc(kernels.memory.buffer.byteLength);
    expect(view.length).toBe(0);
    expect([...kernels.f32(pointer, 3)]).toEqual([1, 2, 3]);
    expect(kernels.call.sumF32(pointer, 3)).toBe(6);
  });

  test('many small blocks grow the memory a few times only', () => {
    const kernels = new Kernels();
    let growths = 0;
    let buffer = kernels.memory.buffer;
    for (let i = 0; i < 4000; i++) {
      kernels.alloc(4096);
      if (kernels.memory.buffer === buffer) continue;
      buffer = kernels.memory.buffer;
      growths++;
    }
    expect(growths).toBeLessThan(40);
    expect(buffer.byteLength).toBeLessThan(1.5 * 4000 * 4096);
  });

  test.each([2 ** 32, 2 ** 33, 2 ** 45])('%s bytes are RESOURCE_EXHAUSTED', (bytes) => {
    const kernels = new Kernels();
    const before = kernels.memory.buffer.byteLength;
    const used = kernels.usedBytes;
    const error = errorOf(() => kernels.alloc(bytes));
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
    expect(error.message).toContain(String(bytes));
    expect(error.details).toEqual({ requestedBytes: bytes, memoryBytes: before });
    // Nothing was committed, and the memory goes on working.
    expect(kernels.memory.buffer.byteLength).toBe(before);
    expect(kernels.usedBytes).toBe(used);
    expect(kernels.call.sumF32(kernels.copyF32([1, 2]), 2)).toBe(3);
  });
});

describe('views', () => {
  test('are typed windows on the same bytes', () => {
    const kernels = new Kernels();
    const pointer = kernels.alloc(16);
    kernels.u32(pointer, 1)[0] = 0x3f80_0000;
    expect(kernels.f32(pointer, 1)[0]).toBe(1);
    kernels.f64(pointer + 8, 1)[0] = -2;
    expect(kernels.u8(pointer + 15, 1)[0]).toBe(0xc0);
    expect(kernels.i8(pointer + 15, 1)[0]).toBe(-64);
  });
});

test('alignUp and paddedDimensions', () => {
  expect([0, 1, 63, 64, 65].map((n) => alignUp(n, 64))).toEqual([0, 64, 64, 64, 128]);
  expect(alignUp(2 ** 32 + 1, 64)).toBe(2 ** 32 + 64);
  expect([1, 64, 65, 768].map(paddedDimensions)).toEqual([64, 64, 128, 768]);
});
