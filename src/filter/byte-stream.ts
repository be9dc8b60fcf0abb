import { LeandexError } from '../base/errors.js';

/** Puts numbers and bytes together, little-endian. */
export class ByteWriter {
  private parts: Uint8Array[] = [];
  byteLength = 0;

  /** The bytes must stay as they are until `take`. */
  bytes(part: Uint8Array): void {
    this.parts.push(part);
    this.byteLength += part.length;
  }

  uint32(value: number): void {
    this.bytes(new Uint8Array(Uint32Array.of(value).buffer));
  }

  /** Bytes after their number. */
  sized(part: Uint8Array): void {
    this.uint32(part.length);
    this.bytes(part);
  }

  /** What was written, in one piece; the writer is empty afterwards. */
  take(): Uint8Array {
    const whole = new Uint8Array(this.byteLength);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.parts = [];
    this.byteLength = 0;
    return whole;
  }
}

/** Reads what a ByteWriter wrote. Every method throws LeandexError `CORRUPT` past the end. */
export class ByteReader {
  private readonly source: Uint8Array;
  private readonly what: string;
  at = 0;

  constructor(what: string, source: Uint8Array) {
    this.what = what;
    this.source = source;
  }

  /** A copy, so that it is aligned for any element. */
  bytes(byteLength: number): Uint8Array {
    const end = this.at + byteLength;
    if (end > this.source.length) throw this.corrupt('the bytes are cut short');
    const part = new Uint8Array(byteLength);
    part.set(this.source.subarray(this.at, end));
    this.at = end;
    return part;
  }

  sized(): Uint8Array {
    return this.bytes(this.uint32());
  }

  uint32(): number {
    return this.uint32s(1)[0]!;
  }

  uint16s(length: number): Uint16Array {
    return new Uint16Array(this.bytes(2 * length).buffer);
  }

  uint32s(length: number): Uint32Array {
    return new Uint32Array(this.bytes(4 * length).buffer);
  }

  float64s(length: number): Float64Array {
    return new Float64Array(this.bytes(8 * length).buffer);
  }

  get isAtEnd(): boolean {
    return this.at === this.source.length;
  }

  /** The error for bytes that are not what they should be. */
  corrupt(problem: string): LeandexError {
    const message = `not a usable ${this.what}: ${problem} (offset ${this.at})`;
    return new LeandexError('CORRUPT', message, { details: { offset: this.at } });
  }
}
