import { wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { type ByteSource, ContainerReader, sourceOf } from './container-reader.js';
import { type ContainerBytes, layOut } from './container-writer.js';
import { corrupt, partsOf } from './layout.js';

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

export function writeContainer(container: Container): Uint8Array {
  return joined(drain(writeSteps(container)));
}

/** The bytes of a container, of which its sections are a part as they are. */
export function writeSteps({ kind, header, sections }: Container): Steps<ContainerBytes> {
  const parted = Object.entries(sections).map(([name, bytes]) => [name, () => partsOf(bytes)]);
  return layOut({ kind, header, sections: Object.fromEntries(parted) });
}

/** All bytes of a container in one array. */
export function joined({ byteLength, parts }: ContainerBytes): Uint8Array {
  const out = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts()) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Reads and verifies a container.
 * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT` for bytes that are not a
 * container, are cut short or altered; `UNSUPPORTED_VERSION` for those of another format version.
 */
export function readContainer(bytes: unknown, kind: string): Container {
  return drain(readSteps(bytesSource(bytes), kind));
}

/** @throws TypeError for anything but a Uint8Array. */
export function bytesSource(bytes: unknown): ByteSource {
  if (!(bytes instanceof Uint8Array)) throw wrongType('bytes', 'a Uint8Array', bytes);
  return sourceOf(bytes);
}

/** readContainer() of bytes anywhere, in slices. */
export function* readSteps(source: ByteSource, kind: string): Steps<Container> {
  const reader = yield* ContainerReader.open(source, kind);
  const sections: Container['sections'] = {};
  for (let entry = reader.next; entry !== undefined; entry = reader.next) {
    sections[entry.name] = yield* reader.read(entry.name, entry.byteLength);
  }
  return { kind, header: reader.header, sections };
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
