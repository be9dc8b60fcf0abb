import { LeandexError, outOfRange } from '../base/errors.js';
import type { KernelVariant } from './exports.js';
import { compiledModule } from './modules.js';

const VARIANTS: readonly KernelVariant[] = ['relaxed-simd', 'simd'];

let chosen: KernelVariant | undefined;

/**
 * The variant in use: `LEANDEX_KERNEL` (`auto`, `simd`, `relaxed-simd`) if set, else relaxed SIMD
 * where the engine compiles it, else SIMD. Both give the same results to the last bit.
 * @throws LeandexError `UNSUPPORTED` without WebAssembly SIMD, or without the variant asked for.
 */
export function kernelVariant(): KernelVariant {
  if (chosen === undefined) {
    // A browser has no `process`.
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
    chosen = chooseVariant(process?.env?.LEANDEX_KERNEL ?? 'auto');
  }
  return chosen;
}

function chooseVariant(wish: string): KernelVariant {
  if (wish !== 'auto' && !VARIANTS.includes(wish as KernelVariant)) {
    throw outOfRange('LEANDEX_KERNEL', `auto, ${VARIANTS.join(' or ')}`, wish);
  }
  const candidates = wish === 'auto' ? VARIANTS : [wish as KernelVariant];
  for (const variant of candidates) {
    if (compiles(variant)) return variant;
  }
  throw new LeandexError(
    'UNSUPPORTED',
    `this engine does not compile the WebAssembly kernels (${candidates.join(', ')}); ` +
      'leandex needs WebAssembly SIMD: Node 20 or later, or a browser of 2023 or later',
  );
}

function compiles(variant: KernelVariant): boolean {
  try {
    compiledModule(variant, false);
    return true;
  } catch {
    return false;
  }
}
