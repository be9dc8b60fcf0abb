import type { Steps } from '../base/steps.js';
import { Kernels } from '../kernels/index.js';

/** Kernels that nobody works with: their memory never shrinks, so a few are used again and again. */
const idle: Kernels[] = [];
const IDLE_MAX = 4;
/** Larger memories are left to the collector. */
const IDLE_BYTES_MAX = 1 << 26;

/** Runs steps with kernels of their own, as each caller's memory there is a stack. */
export function* withKernels<T>(use: (kernels: Kernels) => Steps<T>): Steps<T> {
  const kernels = idle.pop() ?? new Kernels();
  const mark = kernels.mark();
  try {
    return yield* use(kernels);
  } finally {
    kernels.release(mark);
    const isSmall = kernels.memory.buffer.byteLength <= IDLE_BYTES_MAX;
    if (isSmall && idle.length < IDLE_MAX) idle.push(kernels);
  }
}
