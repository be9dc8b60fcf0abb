/** The caller keeps its array: a copy can be handed over. Shared memory needs none. */
export function ownCopy<T extends Float32Array | Uint32Array>(array: T): T {
  return array.buffer instanceof ArrayBuffer ? (array.slice() as T) : array;
}

/**
 * The memory under the arrays of a message, to be handed over instead of copied. Shared memory is
 * shared anyway.
 */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  collect(value, found);
  return [...found];
}

function collect(value: unknown, into: Set<ArrayBuffer>): void {
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) into.add(value.buffer);
  } else {
    for (const part of Object.values(value)) collect(part, into);
  }
}
