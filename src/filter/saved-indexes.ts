import { LeandexError } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { Bitmap } from './bitmap.js';
import { ByteReader, ByteWriter } from './byte-stream.js';
import { type FieldIndex, ROW_SETS } from './field-index.js';
import type { FieldSchema } from './field-schema.js';
import { PayloadIndexes } from './payload-indexes.js';
import type { Posting, Postings } from './postings.js';
import type { SortedRows } from './sorted-rows.js';

/**
 * Payload indexes as a container keeps them. For each field the section `i.rows` holds its sets of
 * rows, and sections `i.0`, `i.1`, ... what its values are: terms, 256 at a time, with the
 * rows of each, or pairs of number and row in order.
 */
export interface SavedIndexes {
  /** Plain values. */
  header: { fields: { name: string; schema: FieldSchema; parts: number }[] };
  sections: Record<string, Uint8Array>;
}

const PART_BYTES = 1 << 20;
const TERMS_AT_ONCE = 256;
const BITMAPS_AT_ONCE = 64;
const PART_PAIRS = 65_536;
const PAIRS_AT_ONCE = 4096;
const WHAT = 'payload index';

type Terms = Postings<string> | Postings<string | boolean>;

/**
 * Yields every few milliseconds; the bytes are made as it goes.
 * @throws LeandexError `INTERNAL` if the indexes are changed before it is done.
 */
export function* saveIndexes(indexes: PayloadIndexes): Steps<SavedIndexes> {
  const { revision } = indexes;
  const saved: SavedIndexes = { header: { fields: [] }, sections: {} };
  for (const [i, [name, index]] of [...indexes.entries()].entries()) {
    saved.sections[`${i}.rows`] = rowSetsOf(index);
    let parts = 0;
    for (const part of partsOf(index)) {
      if (part !== undefined) saved.sections[`${i}.${parts++}`] = part;
      yield;
      if (indexes.revision !== revision) {
        throw new LeandexError('INTERNAL', 'payload indexes were changed while they were saved');
      }
    }
    saved.header.fields.push({ name, schema: index.schema, parts });
  }
  return saved;
}

function rowSetsOf({ rows }: FieldIndex): Uint8Array {
  const writer = new ByteWriter();
  for (const name of ROW_SETS) writer.sized(rows[name].toBytes());
  return writer.take();
}

/** Undefined where only time has passed. */
function partsOf({ values }: FieldIndex): Generator<Uint8Array | undefined> {
  return 'sorted' in values ? pairParts(values.sorted) : termParts(values.postings);
}

/** The number of pairs, their values, their rows: the same however the pairs lie in memory. */
function* pairParts(sorted: SortedRows): Generator<Uint8Array> {
  const [values, rows] = [new Float64Array(PART_PAIRS), new Uint32Array(PART_PAIRS)];
  let count = 0;
  const part = () => {
    const writer = new ByteWriter();
    writer.uint32(count);
    writer.bytes(new Uint8Array(values.buffer, 0, count * 8));
    writer.bytes(new Uint8Array(rows.buffer, 0, count * 4));
    count = 0;
    return writer.take();
  };
  for (const pairs of sorted.between()) {
    for (let at = 0; at < pairs.rows.length; ) {
      const end = Math.min(pairs.rows.length, at + PART_PAIRS - count);
      values.set(pairs.values.subarray(at, end), count);
      rows.set(pairs.rows.subarray(at, end), count);
      count += end - at;
      at = end;
      if (count === PART_PAIRS) yield part();
    }
  }
  if (count > 0) yield part();
}

function* termParts(postings: Terms): Generator<Uint8Array | undefined> {
  const writer = new ByteWriter();
  let group: [string | boolean, Posting][] = [];
  for (const entry of postings.entries()) {
    group.push(entry);
    if (group.length < TERMS_AT_ONCE) continue;
    writeTerms(writer, group);
    group = [];
    yield writer.byteLength < PART_BYTES ? undefined : writer.take();
  }
  if (group.length > 0) writeTerms(writer, group);
  if (writer.byteLength > 0) yield writer.take();
}

/**
 * The terms as JSON, since UTF-8 by itself has no place for halves of surrogate pairs; two numbers
 * for each, the length of its bitmap or 0 and its only row; the bitmaps.
 */
function writeTerms(writer: ByteWriter, group: [string | boolean, Posting][]): void {
  writer.sized(new TextEncoder().encode(JSON.stringify(group.map(([term]) => term))));
  const heads = new Uint32Array(2 * group.length);
  const bitmaps: Uint8Array[] = [];
  for (const [i, [, posting]] of group.entries()) {
    if (typeof posting === 'number') {
      heads[2 * i + 1] = posting;
    } else {
      const bytes = posting.toBytes();
      heads[2 * i] = bytes.length;
      bitmaps.push(bytes);
    }
  }
  writer.bytes(new Uint8Array(heads.buffer));
  for (const bytes of bitmaps) writer.bytes(bytes);
}

/**
 * Yields every few milliseconds. The caller has verified the checksums; here everything is checked
 * that later work relies on.
 * @throws LeandexError `CORRUPT`
 */
export function* loadIndexes(saved: {
  header: Record<string, unknown>;
  sections: Record<string, Uint8Array>;
}): Steps<PayloadIndexes> {
  const indexes = new PayloadIndexes();
  let isDone = false;
  try {
    yield* fillIndexes(indexes, saved.header.fields, saved.sections);
    isDone = true;
    return indexes;
  } finally {
    if (!isDone) indexes.dispose();
  }
}

function* fillIndexes(
  indexes: PayloadIndexes,
  fields: unknown,
  sections: Record<string, Uint8Array>,
): Steps<void> {
  if (!Array.isArray(fields)) throw corrupt('the header has no fields');
  for (const [i, field] of fields.entries()) {
    const index = createField(indexes, field);
    const section = (name: string) => {
      const bytes = sections[`${i}.${name}`];
      if (bytes === undefined) throw corrupt(`section ${i}.${name} is missing`);
      return new ByteReader(WHAT, bytes);
    };
    readRowSets(section('rows'), index);
    const read = 'sorted' in index.values ? pairReader(index) : termReader(index);
    for (let part = 0; part < field.parts; part++) yield* read(section(String(part)));
  }
}

function createField(indexes: PayloadIndexes, field: unknown): FieldIndex {
  const { name, schema, parts } = (field ?? {}) as Record<string, unknown>;
  try {
    indexes.create(name as string, schema as FieldSchema);
  } catch (cause) {
    throw corrupt('a field is none', cause);
  }
  const index = indexes.at(name as string);
  if (index === undefined || !Number.isInteger(parts) || (parts as number) < 0) {
    throw corrupt('a field has a wrong form');
  }
  return index;
}

function readRowSets(reader: ByteReader, { rows }: FieldIndex): void {
  for (const name of ROW_SETS) {
    const set = Bitmap.fromBytes(reader.sized());
    rows[name].orInPlace(set);
    set.dispose();
  }
  if (!reader.isAtEnd) throw reader.corrupt('more bytes follow');
}

type PartReader = (reader: ByteReader) => Steps<void>;

function pairReader({ values }: FieldIndex): PartReader {
  const { sorted } = values as Extract<FieldIndex['values'], { sorted: SortedRows }>;
  let [lastValue, lastRow] = [-Infinity, 0];
  return function* (reader) {
    const count = reader.uint32();
    const [numbers, rows] = [reader.float64s(count), reader.uint32s(count)];
    if (!reader.isAtEnd) throw reader.corrupt('more bytes follow');
    for (let i = 0; i < count; i++) {
      if (i % PAIRS_AT_ONCE === 0) yield;
      const [value, row] = [numbers[i]!, rows[i]!];
      const isNext = value > lastValue || (value === lastValue && row > lastRow);
      if (!isNext || !values.isKey(value)) throw reader.corrupt('numbers are out of order');
      sorted.append(value, row);
      [lastValue, lastRow] = [value, row];
    }
  };
}

function termReader({ values }: FieldIndex): PartReader {
  const postings = (values as Exclude<FieldIndex['values'], { sorted: SortedRows }>)
    .postings as Postings<string | boolean>;
  return function* (reader) {
    while (!reader.isAtEnd) {
      const terms = readTerms(reader);
      const heads = reader.uint32s(2 * terms.length);
      for (const [i, term] of terms.entries()) {
        if (!values.isKey(term) || postings.has(term as string)) {
          throw reader.corrupt('a term is none or is there twice');
        }
        postings.set(term as string, readPosting(reader, heads[2 * i]!, heads[2 * i + 1]!));
        if (i % BITMAPS_AT_ONCE === 0) yield;
      }
    }
  };
}

function readTerms(reader: ByteReader): unknown[] {
  const bytes = reader.sized();
  try {
    const terms: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (Array.isArray(terms)) return terms;
  } catch (cause) {
    throw corrupt('the terms are not JSON', cause);
  }
  throw reader.corrupt('the terms are no list');
}

function readPosting(reader: ByteReader, byteLength: number, row: number): Posting {
  if (byteLength === 0) return row;
  const rows = Bitmap.fromBytes(reader.bytes(byteLength));
  if (rows.isEmpty) throw reader.corrupt('a term has no rows');
  return rows;
}

function corrupt(problem: string, cause?: unknown): LeandexError {
  return new LeandexError('CORRUPT', `not usable payload indexes: ${problem}`, { cause });
}
