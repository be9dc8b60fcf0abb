import { LeandexError } from '../base/errors.js';
import type { KernelExports, KernelVariant } from './exports.js';
import { compiledModule } from './modules.js';
import { kernelVariant } from './variant.js';

const PAGE_BYTES = 65_536;
const PAGES_MAX = 65_536;

export interface KernelOptions {
  /** Default: the process's choice, see kernelVariant(). */
  variant?: KernelVariant;
  /** Use a shared memory, so that workers can instantiate the same one. Default false. */
  shared?: boolean;
}

/** WebAssembly.Memory, written out: its type is not there for users without the DOM's types. */
export interface LinearMemory {
  /** A SharedArrayBuffer where the memory is shared; typed arrays take either. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/**
 * One instance of the kernels with one linear memory: the only door to WebAssembly. Memory is
 * handed out from the front and given back in reverse order (mark, release). Growing detaches the
 * views of a plain memory: take views with f32(), u8() … anew after anything that may allocate.
 */
export class Kernels {
  readonly variant: KernelVariant;
  readonly memory: LinearMemory;
  /** Whether the memory is shared: other threads may then instantiate the same module on it. */
  readonly shared: boolean;
  readonly module: object;
  readonly call: KernelExports;
  private next: number;
  /** Memory from here on has never been handed out, so it is still zero. */
  private untouched: number;
  private wholeWords: Uint32Array<ArrayBuffer> | undefined;
  private wholeFloats: Float32Array<ArrayBuffer> | undefined;

  constructor(options: KernelOptions = {}) {
    this.variant = options.variant ?? kernelVariant();
    this.shared = options.shared ?? false;
    const memory = newMemory(this.shared);
    const module = compiledModule(this.variant, this.shared);
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    this.module = module;
    this.memory = memory;
    this.call = instance.exports as unknown as KernelExports;
    this.next = alignUp(this.call.heapBase(), 64);
    this.untouched = this.next;
  }

  /**
   * Zeroed memory at an aligned address.
   * @throws LeandexError `RESOURCE_EXHAUSTED` past 4 GiB or what the machine gives.
   */
  alloc(bytes: number, alignment = 64): number {
    const start = alignUp(this.next, alignment);
    const end = start + bytes;
    const pages = Math.ceil(end / PAGE_BYTES) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (pages > 0) this.grow(pages, bytes);
    if (start < this.untouched) {
      this.u8(start, Math.min(end, this.untouched) - start).fill(0);
    }
    this.next = end;
    this.untouched = Math.max(this.untouched, end);
    return start;
  }

  private grow(pages: number, bytes: number): void {
    const have = this.memory.buffer.byteLength / PAGE_BYTES;
    // A quarter more than asked for, so that many small requests do not each grow the memory.
    const wish = Math.min(PAGES_MAX - have, Math.max(pages, have >> 2));
    for (const amount of [wish, pages]) {
      if (amount < pages) continue;
      try {
        this.memory.grow(amount);
        this.wholeWords = undefined;
        this.wholeFloats = undefined;
        return;
      } catch {
        // Tried with less, then reported.
      }
    }
    throw new LeandexError(
      'RESOURCE_EXHAUSTED',
      `cannot allocate ${bytes} bytes more: one WebAssembly memory holds at most 4 GiB, ` +
        `${this.memory.buffer.byteLength} bytes are in use`,
      { details: { requestedBytes: bytes, memoryBytes: this.memory.buffer.byteLength } },
    );
  }

  /** Bytes handed out so far. */
  get usedBytes(): number {
    return this.next;
  }

  /** The present end of the handed-out memory, for release(). */
  mark(): number {
    return this.next;
  }

  /** Gives back everything allocated since the mark. */
  release(mark: number): void {
    this.next = mark;
  }

  /** The whole memory, for reading and writing single words at byte offset / 4. */
  get words(): Uint32Array<ArrayBuffer> {
    this.wholeWords ??= new Uint32Array(this.memory.buffer);
    return this.wholeWords;
  }

  get floats(): Float32Array<ArrayBuffer> {
    this.wholeFloats ??= new Float32Array(this.memory.buffer);
    return this.wholeFloats;
  }

  f32(pointer: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, pointer, length);
  }

  f64(pointer: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.memory.buffer, pointer, length);
  }

  u32(pointer: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, pointer, length);
  }

  u16(pointer: number, length: number): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.memory.buffer, pointer, length);
  }

  i64(pointer: number, length: number): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.memory.buffer, pointer, length);
  }

  u8(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.memory.buffer, pointer, length);
  }

  i8(pointer: number, length: number): Int8Array<ArrayBuffer> {
    return new Int8Array(this.memory.buffer, pointer, length);
  }

  /** Copies an array into fresh memory. */
  copyF32(source: ArrayLike<number>): number {
    const pointer = this.alloc(source.length * 4);
    this.f32(pointer, source.length).set(source);
    return pointer;
  }
}

/** Each memory reserves addresses, of which an engine has enough for some thousands. */
function newMemory(shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 2, maximum: PAGES_MAX, shared });
  } catch (cause) {
    const problem = 'cannot reserve another WebAssembly memory: too many indexes are open at once';
    throw new LeandexError('RESOURCE_EXHAUSTED', problem, { cause });
  }
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** n rounded up to the 64 dimensions of a whole block of 2-bit codes (wasm/pack.ts). */
export function paddedDimensions(n: number): number {
  return alignUp(n, 64);
}
