import { outOfRange, wrongType } from '../../base/errors.js';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes on their way out: base64 in JSON, a binary value in msgpack. */
class WireBytes extends Uint8Array {
  toJSON(): string {
    return Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('base64');
  }
}

/** The same bytes in the same memory. */
export function wireBytes(bytes: Uint8Array): WireBytes {
  return new WireBytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes of a request. They need not lie where a Float32Array may begin: these do. */
export function readBytes(what: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value === 'string' && BASE64.test(value)) {
    return Uint8Array.from(Buffer.from(value, 'base64'));
  }
  throw wrongType(what, 'bytes: base64 in JSON, a binary value in msgpack', value);
}

/** Numbers of a request: a list, or float32 bytes. */
export function readFloats(what: string, value: unknown): Float32Array {
  if (Array.isArray(value)) {
    if (value.every((x) => typeof x === 'number')) return Float32Array.from(value);
    throw wrongType(what, 'a list of numbers, or float32 bytes', value);
  }
  const bytes = readBytes(what, value);
  if (bytes.length % 4 !== 0) {
    throw outOfRange(what, 'float32 values of 4 bytes each', `${bytes.length} bytes`);
  }
  return new Float32Array(bytes.buffer);
}
