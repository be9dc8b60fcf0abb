import { LeandexError } from '../base/errors.js';

/** Version 1 was never released, so nothing reads it. */
export const FORMAT_VERSION = 2;

export const MAGIC = Uint8Array.of(0x4c, 0x45, 0x41, 0x4e, 0x44, 0x45, 0x58, 0x0a); // "LEANDEX\n"
/** Magic, then little-endian u32: version, header bytes, header CRC, CRC of these 20; then zero. */
export const PREAMBLE_BYTES = 64;
/** Sections are read, checked and written so many bytes at a time: less than a millisecond's work. */
export const PART_BYTES = 1 << 20;

/** Where a section is; offsets count from the end of the header, so that its length does not depend on them. */
export interface SectionEntry {
  name: string;
  offset: number;
  byteLength: number;
  crc32: number;
}

export const align64 = (offset: number) => Math.ceil(offset / 64) * 64;

/** Views of an array, in order. */
export function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += PART_BYTES) {
    yield bytes.subarray(from, from + PART_BYTES);
  }
}

/** The error for bytes that cannot be what they should. */
export function corrupt(
  kind: string,
  problem: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): LeandexError {
  const where = details.offset === undefined ? '' : ` (offset ${String(details.offset)})`;
  return new LeandexError('CORRUPT', `not a usable leandex ${kind}: ${problem}${where}`, {
    details,
    cause,
  });
}
