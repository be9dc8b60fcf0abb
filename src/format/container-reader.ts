import { decode } from '@msgpack/msgpack';
import { LeandexError } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { crc32 } from './checksum.js';
import {
  align64,
  corrupt,
  FORMAT_VERSION,
  MAGIC,
  PREAMBLE_BYTES,
  partsOf,
  type SectionEntry,
} from './layout.js';
import { isBoundedMsgpack } from './msgpack-bounds.js';

/** Where saved bytes come from. */
export interface ByteSource {
  readonly byteLength: number;
  /** Fills all of `into` with the bytes from `offset` on: at once, or when it resolves. */
  read(into: Uint8Array, offset: number): Promise<void> | undefined;
}

/** Bytes in memory. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read(into, offset) {
      into.set(bytes.subarray(offset, offset + into.length));
      return undefined;
    },
  };
}

/**
 * Reads and verifies a container, section by section in their order, a part at a time. Nothing is
 * taken from a section before the caller knows that all of it is there; what a checksum refuses may
 * have been read by then, so nothing is to be used before the last step.
 */
export class ContainerReader {
  readonly kind: string;
  readonly header: Record<string, unknown>;
  private readonly source: ByteSource;
  private readonly base: number;
  private readonly entries: readonly SectionEntry[];
  /** The next section, and where the one before it ends. */
  private at = 0;
  private end: number;

  private constructor(source: ByteSource, kind: string, base: number, head: ContainerHead) {
    this.kind = kind;
    this.header = head.header;
    this.source = source;
    this.base = base;
    this.entries = head.entries;
    this.end = base;
    this.requireLength();
  }

  /**
   * @throws LeandexError `CORRUPT` for bytes that are not a container, are too few or too many;
   * `UNSUPPORTED_VERSION` for those of another format version.
   */
  static *open(source: ByteSource, kind: string): Steps<ContainerReader> {
    const head = yield* readFront(source, kind);
    const base = align64(PREAMBLE_BYTES + head.length);
    return new ContainerReader(source, kind, base, readHead(head, kind));
  }

  private requireLength(): void {
    const { source, kind, base, entries } = this;
    let end = base;
    for (const { name, offset, byteLength } of entries) {
      const start = base + offset;
      end = start + byteLength;
      if (source.byteLength >= end) continue;
      throw corrupt(kind, `section ${name} is cut short`, {
        offset: start,
        expected: byteLength,
        received: Math.max(0, source.byteLength - start),
      });
    }
    if (source.byteLength > end) {
      const more = source.byteLength - end;
      throw corrupt(kind, `${more} bytes follow the last section`, { offset: end });
    }
  }

  /** Name and length of the next section; undefined behind the last one. */
  get next(): Pick<SectionEntry, 'name' | 'byteLength'> | undefined {
    return this.entries[this.at];
  }

  /** @throws LeandexError `CORRUPT` unless the next section has this name and length. */
  require(name: string, byteLength: number): void {
    const { next } = this;
    const have = next?.name === name ? next.byteLength : 'no';
    if (have === byteLength) return;
    throw corrupt(this.kind, `section ${name} has ${have} bytes, expected ${byteLength}`);
  }

  /**
   * Reads the next section into views that have its length in all, each asked for when the one before
   * it is full.
   * @throws LeandexError `CORRUPT` unless it has this name and length and its bytes are intact.
   */
  *readInto(name: string, byteLength: number, parts: Iterable<Uint8Array>): Steps<void> {
    this.require(name, byteLength);
    const { source, kind } = this;
    const entry = this.entries[this.at]!;
    const start = this.base + entry.offset;
    yield* this.checkPadding(this.end, start);
    let crc = 0;
    let at = start;
    for (const part of parts) {
      yield* fill(source, part, at);
      crc = crc32(part, crc);
      at += part.length;
      yield { phase: 'load', done: at, total: source.byteLength };
    }
    if (crc !== entry.crc32) {
      throw corrupt(kind, `section ${name} has a wrong checksum`, { offset: start });
    }
    this.end = at;
    this.at++;
  }

  /** The next section in an array of its own. Errors as for readInto(). */
  *read(name: string, byteLength: number): Steps<Uint8Array<ArrayBuffer>> {
    this.require(name, byteLength);
    const bytes = new Uint8Array(byteLength);
    yield* this.readInto(name, byteLength, partsOf(bytes));
    return bytes;
  }

  /** @throws LeandexError `CORRUPT` if there are more sections. */
  requireEnd(): void {
    if (this.next !== undefined) throw corrupt(this.kind, `section ${this.next.name} is unknown`);
  }

  /** Padding is zero, so that no byte of a file can change unseen. */
  private *checkPadding(from: number, to: number): Steps<void> {
    const bytes = yield* fill(this.source, new Uint8Array(to - from), from);
    requireZero(bytes, from, this.kind);
  }
}

function* fill<T extends Uint8Array>(source: ByteSource, into: T, offset: number): Steps<T> {
  if (into.length > 0) {
    const reading = source.read(into, offset);
    if (reading !== undefined) yield Promise.resolve(reading);
  }
  return into;
}

function requireZero(bytes: Uint8Array, offset: number, kind: string): void {
  const at = bytes.findIndex((byte) => byte !== 0);
  if (at >= 0) throw corrupt(kind, 'padding is not zero', { offset: offset + at });
}

/** Checks all that goes before the sections; returns the header's bytes. */
function* readFront(source: ByteSource, kind: string): Steps<Uint8Array> {
  const isTooShort = source.byteLength < PREAMBLE_BYTES;
  const preamble = yield* fill(source, new Uint8Array(isTooShort ? 0 : PREAMBLE_BYTES), 0);
  if (MAGIC.some((byte, i) => preamble[i] !== byte)) {
    throw corrupt(kind, 'the first bytes are not those of a leandex file', { offset: 0 });
  }
  const view = new DataView(preamble.buffer);
  if (view.getUint32(20, true) !== crc32(preamble.subarray(0, 20))) {
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
  const base = align64(PREAMBLE_BYTES + length);
  // With its padding, which is there where any section is, and written in any case.
  const isThere = base <= source.byteLength;
  const rest = yield* fill(
    source,
    new Uint8Array(isThere ? base - PREAMBLE_BYTES : 0),
    PREAMBLE_BYTES,
  );
  const head = rest.subarray(0, length);
  if (!isThere || crc32(head) !== view.getUint32(16, true)) {
    throw corrupt(kind, 'the header is cut short or has a wrong checksum', {
      offset: PREAMBLE_BYTES,
    });
  }
  requireZero(preamble.subarray(24), 24, kind);
  requireZero(rest.subarray(length), PREAMBLE_BYTES + length, kind);
  return head;
}

interface ContainerHead {
  header: Record<string, unknown>;
  entries: readonly SectionEntry[];
}

function readHead(head: Uint8Array, kind: string): ContainerHead {
  let decoded: { kind?: unknown; header?: unknown; sections?: unknown };
  try {
    if (!isBoundedMsgpack(head)) throw new RangeError('sizes that do not fit');
    decoded = decode(head) as typeof decoded;
  } catch (cause) {
    throw corrupt(kind, 'the header is not msgpack', { offset: PREAMBLE_BYTES }, cause);
  }
  const { header, sections } = decoded ?? {};
  if (decoded?.kind !== kind) {
    throw corrupt(kind, `the bytes hold ${String(decoded?.kind)}`, {
      offset: PREAMBLE_BYTES,
      received: decoded?.kind,
    });
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
