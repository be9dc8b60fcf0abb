import { LeandexError, outOfRange } from '../base/errors.js';
import { BINARIES } from './binaries.js';

/** Which instructions the search kernels use. */
export type KernelVariant = 'simd' | 'relaxed-simd';

const VARIANTS: readonly KernelVariant[] = ['relaxed-simd', 'simd'];

/** The parts of Node that a browser lacks; absent properties mean "not in Node". */
interface NodeProcess {
  env?: Record<string, string | undefined>;
  getBuiltinModule?: (name: string) => { setFlagsFromString?: (flag: string) => void } | undefined;
}

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

const modules = new Map<string, WebAssembly.Module>();
let chosen: KernelVariant | undefined;

/**
 * The variant in use: `LEANDEX_KERNEL` (`auto`, `simd`, `relaxed-simd`) if set, else relaxed SIMD
 * where the engine compiles it, else SIMD. Both give the same results to the last bit.
 * @throws LeandexError `UNSUPPORTED` without WebAssembly SIMD, or without the variant asked for.
 */
export function kernelVariant(): KernelVariant {
  chosen ??= chooseVariant(nodeProcess?.env?.LEANDEX_KERNEL ?? 'auto');
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

/** Node 20 has relaxed SIMD behind a V8 flag; later versions have it anyway and ignore the flag. */
function enableRelaxedSimd(): void {
  try {
    const v8 = nodeProcess?.getBuiltinModule?.('node:v8');
    v8?.setFlagsFromString?.('--experimental-wasm-relaxed-simd');
  } catch {
    // Without the flag the module does not compile, and plain SIMD is chosen.
  }
}

function compiles(variant: KernelVariant): boolean {
  try {
    compiledModule(variant, false);
    return true;
  } catch {
    return false;
  }
}

/** The compiled binary of a variant, for plain or shared memory; compiled once a process. */
export function compiledModule(variant: KernelVariant, shared: boolean): WebAssembly.Module {
  const name = shared ? `${variant}-shared` : variant;
  let module = modules.get(name);
  if (module === undefined) {
    if (variant === 'relaxed-simd') enableRelaxedSimd();
    module = new WebAssembly.Module(decodeBase64(BINARIES[name]!));
    modules.set(name, module);
  }
  return module;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
