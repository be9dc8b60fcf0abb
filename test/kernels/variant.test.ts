import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CodedError } from '../../src/base/errors.js';
import { BINARIES } from '../../src/kernels/binaries.js';
import type { KernelVariant } from '../../src/kernels/index.js';

type KernelsModule = typeof import('../../src/kernels/index.js');

const RELAXED = Buffer.from(BINARIES['relaxed-simd']!, 'base64');

/** The module as a process loads it that has LEANDEX_KERNEL set so. */
function freshModule(wish?: string): Promise<KernelsModule> {
  vi.resetModules();
  vi.stubEnv('LEANDEX_KERNEL', wish);
  return import('../../src/kernels/index.js');
}

/** Makes the engine refuse these binaries. */
function refuse(...names: KernelVariant[]): void {
  const refused = names.map((name) => Buffer.from(BINARIES[name]!, 'base64'));
  const original = WebAssembly.Module;
  WebAssembly.Module = class extends original {
    constructor(bytes: BufferSource) {
      if (refused.some((binary) => binary.equals(bytes as Uint8Array))) {
        throw new WebAssembly.CompileError('refused by the test');
      }
      super(bytes);
    }
  };
  restore = () => {
    WebAssembly.Module = original;
  };
}

let restore = () => {};

afterEach(() => {
  restore();
  restore = () => {};
  vi.unstubAllEnvs();
});

function compiles(bytes: BufferSource): boolean {
  try {
    return new WebAssembly.Module(bytes) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

// This runs first: V8's flag belongs to the process and stays once it is set.
test('relaxed SIMD can be asked for by name before anything else set V8 up for it', async () => {
  const needsFlag = !compiles(RELAXED);
  const { Kernels } = await freshModule();
  const [major, minor] = process.versions.node.split('.').map(Number);
  const canSetFlag = major! >= 22 || (major === 20 && minor! >= 16);
  if (needsFlag && !canSetFlag) {
    expect(() => new Kernels({ variant: 'relaxed-simd' })).toThrow(WebAssembly.CompileError);
  } else {
    expect(new Kernels({ variant: 'relaxed-simd' }).variant).toBe('relaxed-simd');
    expect(compiles(RELAXED)).toBe(true);
  }
});

describe('LEANDEX_KERNEL', () => {
  test('simd', async () => {
    const { kernelVariant, Kernels } = await freshModule('simd');
    expect(kernelVariant()).toBe('simd');
    expect(new Kernels().variant).toBe('simd');
  });

  test('relaxed-simd, where the engine compiles it', async ({ skip }) => {
    if (!compiles(RELAXED)) skip('this engine does not compile relaxed SIMD');
    const { kernelVariant, Kernels } = await freshModule('relaxed-simd');
    expect(kernelVariant()).toBe('relaxed-simd');
    expect(new Kernels().variant).toBe('relaxed-simd');
  });

  test.each(['auto', undefined])('%s takes relaxed SIMD where it compiles', async (wish) => {
    const { kernelVariant } = await freshModule(wish);
    expect(kernelVariant()).toBe(compiles(RELAXED) ? 'relaxed-simd' : 'simd');
  });

  test.each(['avx512', '', 'SIMD'])('%j is a RangeError', async (wish) => {
    const { kernelVariant } = await freshModule(wish);
    let error: CodedError | undefined;
    try {
      kernelVariant();
    } catch (caught) {
      error = caught as CodedError;
    }
    expect(error).toBeInstanceOf(RangeError);
    expect(error!.code).toBe('INVALID_ARGUMENT');
    expect(error!.message).toContain('LEANDEX_KERNEL must be auto, relaxed-simd or simd');
    expect(error!.message).toContain(JSON.stringify(wish));
  });

  test('is read once: the choice stays', async () => {
    const { kernelVariant } = await freshModule('simd');
    kernelVariant();
    vi.stubEnv('LEANDEX_KERNEL', 'relaxed-simd');
    expect(kernelVariant()).toBe('simd');
  });
});

describe('an engine that refuses', () => {
  test('relaxed SIMD: auto falls back to SIMD', async () => {
    const { kernelVariant } = await freshModule('auto');
    refuse('relaxed-simd');
    expect(kernelVariant()).toBe('simd');
  });

  test('the variant asked for: UNSUPPORTED, no other is taken', async () => {
    const { kernelVariant } = await freshModule('relaxed-simd');
    refuse('relaxed-simd');
    expect(() => kernelVariant()).toThrow(
      expect.objectContaining({ name: 'LeandexError', code: 'UNSUPPORTED' }),
    );
  });

  test('both: UNSUPPORTED, naming what is needed', async () => {
    const { kernelVariant } = await freshModule('auto');
    refuse('relaxed-simd', 'simd');
    expect(() => kernelVariant()).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('leandex needs WebAssembly SIMD'),
      }),
    );
  });
});
