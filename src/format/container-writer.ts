import { encode } from '@msgpack/msgpack';
import type { Steps } from '../base/steps.js';
import { crc32 } from './checksum.js';
import { align64, FORMAT_VERSION, MAGIC, PREAMBLE_BYTES, type SectionEntry } from './layout.js';

/** A container whose sections are somewhere in memory, in parts. */
export interface PartedContainer {
  kind: string;
  header: Record<string, unknown>;
  /** The bytes of each section, in order; they are gone through twice. */
  sections: Record<string, () => Iterable<Uint8Array>>;
}

/** All bytes of a container, in order. */
export interface ContainerBytes {
  byteLength: number;
  parts: () => Iterable<Uint8Array>;
}

/** Makes the checksums, part by part, and with them the bytes that go before the sections. */
export function* layOut({ kind, header, sections }: PartedContainer): Steps<ContainerBytes> {
  const entries: SectionEntry[] = [];
  let offset = 0;
  for (const [name, parts] of Object.entries(sections)) {
    let byteLength = 0;
    let crc = 0;
    for (const part of parts()) {
      crc = crc32(part, crc);
      byteLength += part.length;
      yield;
    }
    entries.push({ name, offset, byteLength, crc32: crc });
    offset = align64(offset + byteLength);
  }
  const front = frontOf(encode({ kind, header, sections: entries }));
  const last = entries.at(-1);
  return {
    byteLength: front.length + (last === undefined ? 0 : last.offset + last.byteLength),
    *parts() {
      yield front;
      let end = 0;
      for (const { name, offset, byteLength } of entries) {
        if (offset > end) yield new Uint8Array(offset - end);
        yield* sections[name]!();
        end = offset + byteLength;
      }
    },
  };
}

/** Preamble and header, up to where the sections begin. */
function frontOf(head: Uint8Array): Uint8Array {
  const front = new Uint8Array(align64(PREAMBLE_BYTES + head.length));
  front.set(MAGIC);
  const view = new DataView(front.buffer);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, head.length, true);
  view.setUint32(16, crc32(head), true);
  view.setUint32(20, crc32(front.subarray(0, 20)), true);
  front.set(head, PREAMBLE_BYTES);
  return front;
}
