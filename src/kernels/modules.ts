import { BINARIES } from './binaries.js';
import type { KernelVariant } from './exports.js';

const modules = new Map<string, WebAssembly.Module>();

/**
 * The compiled binary of a variant, for plain or shared memory; compiled once a process.
 * @throws WebAssembly.CompileError where the engine lacks its instructions.
 */
export function compiledModule(variant: KernelVariant, shared: boolean): WebAssembly.Module {
  const name = shared ? `${variant}-shared` : variant;
  let module = modules.get(name);
  if (module === undefined) {
    module = compile(decodeBase64(BINARIES[name]!), variant);
    modules.set(name, module);
  }
  return module;
}

/** Node 20 has relaxed SIMD behind a V8 flag; later versions and browsers have it anyway. */
function compile(binary: Uint8Array<ArrayBuffer>, variant: KernelVariant): WebAssembly.Module {
  try {
    return new WebAssembly.Module(binary);
  } catch (error) {
    if (variant !== 'relaxed-simd' || !enableRelaxedSimd()) throw error;
    return new WebAssembly.Module(binary);
  }
}

/** What of `process` serves here; a browser has none, and Node before 20.16 not this function. */
interface NodeProcess {
  getBuiltinModule?: (name: string) => { setFlagsFromString?: (flag: string) => void } | undefined;
}

function enableRelaxedSimd(): boolean {
  const { process } = globalThis as { process?: NodeProcess };
  const v8 = process?.getBuiltinModule?.('node:v8');
  v8?.setFlagsFromString?.('--experimental-wasm-relaxed-simd');
  return v8?.setFlagsFromString !== undefined;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
