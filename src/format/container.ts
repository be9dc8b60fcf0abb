import { decode, encode } from '@msgpack/msgpack';
import { LeandexError, wrongType } from '../base/errors.js';
import { crc32 } from './checksum.js';
import { isBoundedMsgpack } from './msgpack-bounds.js';

/**
 * The file form of everything that leandex saves (docs/format.md): a 64-byte preamble, a msgpack
 * header, and binary sections at multiples of 64 bytes, each with its CRC-32. The same content
 * always gives the same bytes.
 */
export interface Container {
  /** What is inside, e.g. `index`, `model`. */
  kind: string;
  /** Plain values: numbers, strings, booleans, arrays and objects of them. */
  header: Record<string, unknown>;
  sections: Record<string, Uint8Array>;
}

/** Version 1 was never released, so nothing reads it. */
export const FORMAT_VERSION = 2;

const MAGIC = Uint8Array.of(0x4c, 0x45, 0x41, 0x4e, 0x44, 0x45, 0x58, 0x0a); // "LEANDEX\n"
const PREAMBLE_BYTES = 64;

interface SectionEntry {
  name: string;
  offset: number;
  byteLength: number;
  crc32: number;
}

const align64 = (offset: number) => Math.ceil(offset / 64) * 64;

/** Preamble: magic, then little-endian u32: version, header bytes, header CRC, CRC of these 20. */
export function writeContainer({ kind, header, sections }: Container): Uint8Array {
  // Offsets count from the end of the header, so that the header's length does not depend on them.
  const entries: SectionEntry[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(sections)) {
    entries.push({ name, offset, byteLength: bytes.length, crc32: crc32(bytes) });
    offset = align64(offset + bytes.length);
  }
  const head = encode({ kind, header, sections: entries });
  const base = align64(PREAMBLE_BYTES + head.length);
  const last = entries.at(-1);
  const out = new Uint8Array(base + (last === undefined ? 0 : last.offset + last.byteLength));
  out.set(MAGIC);
  const view = new DataView(out.buffer);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, head.length, true);
  view.setUint32(16, crc32(head), true);
  view.setUint32(20, crc32(out.subarray(0, 20)), true);
  out.set(head, PREAMBLE_BYTES);
  for (const entry of entries) out.set(sections[entry.name]!, base + entry.offset);
  return out;
}

/**
 * Reads and verifies a container; sections are views of `input`.
 * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT` for bytes that are not a
 * container, are cut short or altered; `UNSUPPORTED_VERSION` for those of another format version.
 */
export function readContainer(input: unknown, kind: string): Container {
  if (!(input instanceof Uint8Array)) throw wrongType('bytes', 'a Uint8Array', input);
  // Not a Buffer, whose slice() shares memory instead of copying it.
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const { head, base } = readPreamble(bytes, kind);
  const { header, entries } = readHead(head, kind);
  const sections: Record<string, Uint8Array> = {};
  let end = base;
  for (const entry of entries) {
    const start = base + entry.offset;
    if (bytes.length < start + entry.byteLength) {
      throw corrupt(kind, `section ${entry.name} is cut short`, {
        offset: start,
        expected: entry.byteLength,
        received: Math.max(0, bytes.length - start),
      });
    }
    checkPadding(bytes, end, start, kind);
    const section = bytes.subarray(start, start + entry.byteLength);
    if (crc32(section) !== entry.crc32) {
      throw corrupt(kind, `section ${entry.name} has a wrong checksum`, { offset: start });
    }
    sections[entry.name] = section;
    end = start + entry.byteLength;
  }
  if (bytes.length !== end) {
    throw corrupt(kind, `${bytes.length - end} bytes follow the last section`, { offset: end });
  }
  return { kind, header, sections };
}

function readPreamble(bytes: Uint8Array, kind: string): { head: Uint8Array; base: number } {
  if (bytes.length < PREAMBLE_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw corrupt(kind, 'the first bytes are not those of a leandex file', { offset: 0 });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (view.getUint32(20, true) !== crc32(bytes.subarray(0, 20))) {
    throw corrupt(kind, 'the preamble has a wrong checksum', { offset: 0 });
  }
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    throw new LeandexError(
      'UNSUPPORTED_VERSION',
      `these bytes have format version ${version}; this leandex reads ${FORMAT_VERSION}`,
      { details: { received: version, expected: FORMAT_VERSION } },
    );
  }
  const length = view.getUint32(12, true);
  const head = bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + length);
  if (head.length !== length || crc32(head) !== view.getUint32(16, true)) {
    throw corrupt(kind, 'the header is cut short or has a wrong checksum', {
      offset: PREAMBLE_BYTES,
    });
  }
  checkPadding(bytes, 24, PREAMBLE_BYTES, kind);
  const base = align64(PREAMBLE_BYTES + length);
  checkPadding(bytes, PREAMBLE_BYTES + length, base, kind);
  return { head, base };
}

function readHead(head: Uint8Array, kind: string) {
  let decoded: { kind?: unknown; header?: unknown; sections?: unknown };
  try {
    if (!isBoundedMsgpack(head)) throw new RangeError('sizes that do not fit');
    decoded = decode(head) as typeof decoded;
  } catch (cause) {
    throw corrupt(kind, 'the header is not msgpack', { offset: PREAMBLE_BYTES }, cause);
  }
  const { header, sections } = decoded ?? {};
  if (decoded?.kind !== kind) {
    throw corrupt(kind, `the bytes hold ${String(decoded?.kind)}`, { offset: PREAMBLE_BYTES });
  }
  if (typeof header !== 'object' || header === null || !Array.isArray(sections)) {
    throw corrupt(kind, 'the header has a wrong form', { offset: PREAMBLE_BYTES });
  }
  const entries = sections as SectionEntry[];
  let expected = 0;
  for (const entry of entries) {
    if (
      typeof entry?.name !== 'string' ||
      entry.offset !== expected ||
      !Number.isSafeInteger(entry.byteLength) ||
      entry.byteLength < 0
    ) {
      throw corrupt(kind, `section ${entry?.name} has a wrong place`, { offset: PREAMBLE_BYTES });
    }
    expected = align64(entry.offset + entry.byteLength);
  }
  return { header: header as Record<string, unknown>, entries };
}

/** Padding is zero, so that no byte of a file can change unseen. */
function checkPadding(bytes: Uint8Array, from: number, to: number, kind: string): void {
  for (let i = from; i < to && i < bytes.length; i++) {
    if (bytes[i] !== 0) throw corrupt(kind, 'padding is not zero', { offset: i });
  }
}

/** The bytes of an array, for a section. */
export function asBytes(values: Float32Array | Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A section of exactly so many bytes. @throws LeandexError `CORRUPT` */
export function sectionOf(
  sections: Container['sections'],
  name: string,
  byteLength: number,
  kind: string,
): Uint8Array {
  const section = sections[name];
  if (section?.length === byteLength) return section;
  const problem = `section ${name} has ${section?.length ?? 'no'} bytes, expected ${byteLength}`;
  throw corrupt(kind, problem);
}

/** A section of so many float32. @throws LeandexError `CORRUPT` */
export function floatSection(
  sections: Container['sections'],
  name: string,
  length: number,
  kind: string,
): Float32Array {
  return finite(
    new Float32Array(sectionOf(sections, name, length * 4, kind).slice().buffer),
    name,
    kind,
  );
}

/** A section of so many float64. @throws LeandexError `CORRUPT` */
export function doubleSection(
  sections: Container['sections'],
  name: string,
  length: number,
  kind: string,
): Float64Array {
  return finite(
    new Float64Array(sectionOf(sections, name, length * 8, kind).slice().buffer),
    name,
    kind,
  );
}

function finite<T extends Float32Array | Float64Array>(values: T, name: string, kind: string): T {
  if (values.every(Number.isFinite)) return values;
  throw corrupt(kind, `section ${name} holds numbers that are not finite`);
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
