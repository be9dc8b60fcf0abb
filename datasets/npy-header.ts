import { corrupt, unsupported } from './errors.js';

/** What the header of a .npy file says; `dataOffset` is where the elements begin. */
export type NpyHeader = {
  readonly descr: string;
  readonly shape: number[];
  readonly dataOffset: number;
  /** The byte of the type, for messages about it. */
  readonly descrOffset: number;
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const ALIGNMENT = 64;

/** One `'key': value` of the header's Python dictionary, with the comma or brace after it. */
const KEY = /\s*(?<keyQuote>['"])(\w+)\k<keyQuote>\s*:\s*/;
const VALUE = /(?:(?<quote>['"])([^'"]*)\k<quote>|(True|False)|(\([\d\s,L]*\))|(\[.*\]))/;
const END = /\s*(,\s*\}?|\})/;
const ENTRY = new RegExp(KEY.source + VALUE.source + END.source, 'y');

type Value = { readonly offset: number; readonly text: string; readonly kind: ValueKind };
type ValueKind = 'string' | 'boolean' | 'tuple' | 'list';

/**
 * Reads the header of a .npy file, versions 1.0, 2.0 and 3.0.
 * Throws CORRUPT for a damaged header and UNSUPPORTED for Fortran order, structured types and
 * other versions.
 */
export function parseNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  for (let offset = 0; offset < MAGIC.length; offset++) {
    if (bytes[offset] !== MAGIC[offset]) {
      throw corrupt(file, { offset }, 'the magic bytes of .npy, 93 "NUMPY"', byteAt(bytes, offset));
    }
  }
  const { textOffset, textLength } = headerExtent(bytes, file);
  const dataOffset = textOffset + textLength;
  if (dataOffset > bytes.length) {
    throw corrupt(
      file,
      { offset: bytes.length },
      `a header of ${textLength} bytes`,
      `the end of the file after ${bytes.length - textOffset}`,
    );
  }
  // Keys and types are ASCII; only the field names of structured types, which are refused, may
  // not be, so one byte is one character and positions in the text are offsets.
  const text = new TextDecoder('latin1').decode(bytes.subarray(textOffset, dataOffset));
  const values = parseDictionary(text, textOffset, file);
  const descr = wanted(values, 'descr', file, textOffset);
  if (descr.kind === 'list') {
    throw unsupported(file, descr, 'one number type', `a structured type ${descr.text}`);
  }
  requireKind(descr, 'string', 'descr', file);
  const order = requireKind(
    wanted(values, 'fortran_order', file, textOffset),
    'boolean',
    'fortran_order',
    file,
  );
  if (order.text === 'True') throw unsupported(file, order, 'C order', 'Fortran order');
  const tuple = requireKind(wanted(values, 'shape', file, textOffset), 'tuple', 'shape', file);
  return {
    descr: descr.text,
    shape: parseShape(tuple, file),
    dataOffset,
    descrOffset: descr.offset,
  };
}

/** The bytes of a version 1.0 header, padded as numpy does so that the data is aligned. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = MAGIC.length + 4;
  const length = Math.ceil((prefix + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(length).fill(0x20);
  header.set(MAGIC);
  header.set([1, 0, (length - prefix) & 0xff, (length - prefix) >>> 8], MAGIC.length);
  header.set(new TextEncoder().encode(text), prefix);
  header[length - 1] = 0x0a;
  return header;
}

function headerExtent(bytes: Uint8Array, file: string): { textOffset: number; textLength: number } {
  const offset = MAGIC.length;
  const [major, minor] = [bytes[offset], bytes[offset + 1]];
  const textOffset = major === 1 ? 10 : 12;
  if (bytes.length < textOffset) {
    throw corrupt(
      file,
      { offset: bytes.length },
      'the version and the header length',
      'the end of the file',
    );
  }
  if (major < 1 || major > 3 || minor !== 0) {
    throw unsupported(file, { offset }, 'version 1.0, 2.0 or 3.0', `version ${major}.${minor}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, textOffset);
  const textLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  return { textOffset, textLength };
}

function parseDictionary(text: string, textOffset: number, file: string): Map<string, Value> {
  const values = new Map<string, Value>();
  let position = text.search(/\S/);
  if (text[position] !== '{') {
    const offset = textOffset + Math.max(0, position);
    throw corrupt(file, { offset }, 'a dictionary "{...}"', quote(text.trim()));
  }
  position += 1;
  for (let closed = false; !closed; ) {
    ENTRY.lastIndex = position;
    const match = ENTRY.exec(text);
    if (match === null) {
      const offset = textOffset + position;
      throw corrupt(file, { offset }, "an entry 'key': value", quote(text.slice(position)));
    }
    const [whole, , key, , string, boolean, tuple, list, end] = match;
    if (values.has(key)) {
      throw corrupt(file, { offset: textOffset + position }, 'each key once', `${key} twice`);
    }
    const value = string ?? boolean ?? tuple ?? list;
    const kind = kindOf(string, boolean, tuple);
    const offset = textOffset + position + whole.indexOf(value, whole.indexOf(':'));
    values.set(key, { offset, text: value, kind });
    position += whole.length;
    closed = end.endsWith('}');
  }
  if (text.slice(position).trim() !== '') {
    const offset = textOffset + position;
    throw corrupt(file, { offset }, 'nothing after the dictionary', quote(text.slice(position)));
  }
  return values;
}

function kindOf(string?: string, boolean?: string, tuple?: string): ValueKind {
  if (string !== undefined) return 'string';
  if (boolean !== undefined) return 'boolean';
  return tuple === undefined ? 'list' : 'tuple';
}

function wanted(values: Map<string, Value>, key: string, file: string, offset: number): Value {
  const value = values.get(key);
  if (value !== undefined && values.size === 3) return value;
  const keys = [...values.keys()].join(', ');
  throw corrupt(file, { offset }, 'the keys descr, fortran_order and shape', keys);
}

function requireKind(value: Value, kind: ValueKind, key: string, file: string): Value {
  if (value.kind !== kind) throw corrupt(file, value, `a ${kind} for ${key}`, quote(value.text));
  return value;
}

/** "(3, 4)", "(3,)" or "()"; Python 2 wrote "3L" for a long integer. */
function parseShape(tuple: Value, file: string): number[] {
  const expected = 'a tuple of sizes';
  if (!/^\(\s*(\d+L?\s*,\s*)*(\d+L?\s*)?\)$/.test(tuple.text)) {
    throw corrupt(file, tuple, expected, quote(tuple.text));
  }
  const shape = (tuple.text.match(/\d+/g) ?? []).map(Number);
  // In Python "(3)" is a number in brackets, not a tuple.
  const isTuple = shape.length !== 1 || tuple.text.includes(',');
  if (!isTuple || !shape.every(Number.isSafeInteger)) {
    throw corrupt(file, tuple, expected, quote(tuple.text));
  }
  return shape;
}

function byteAt(bytes: Uint8Array, offset: number): string {
  if (offset >= bytes.length) return 'the end of the file';
  return `byte ${bytes[offset].toString(16).padStart(2, '0')}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
