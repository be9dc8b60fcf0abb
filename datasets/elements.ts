/** Rows of equal length, one after another: `data` holds `count * dimensions` numbers. */
export type Rows<T> = { readonly count: number; readonly dimensions: number; readonly data: T };

/** The constructor of a typed array, as far as the readers need it. */
export type ElementType<T> = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

/**
 * `count` little-endian elements from byte `offset` on. They share memory with `bytes` when the
 * alignment allows it and are copied when it does not; the caller has checked the length.
 */
export function elementsAt<T>(
  Type: ElementType<T>,
  bytes: Uint8Array,
  offset: number,
  count: number,
): T {
  const start = bytes.byteOffset + offset;
  if (start % Type.BYTES_PER_ELEMENT === 0) return new Type(bytes.buffer, start, count);
  const copy = new Uint8Array(count * Type.BYTES_PER_ELEMENT);
  copy.set(bytes.subarray(offset, offset + copy.length));
  return new Type(copy.buffer, 0, count);
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
