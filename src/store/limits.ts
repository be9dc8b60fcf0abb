import { LeandexError, outOfRange, wrongDimension } from '../base/errors.js';
import type { PointBatch, StoredField, VectorColumn } from './types.js';

/** Bit 0 of a point's parts is its payload, each other one a field. */
export const FIELDS_MAX = 31;
export const VECTOR_SIZE_MAX = 65_536;
/** One transaction, and one message to the thread. */
export const BATCH_POINTS_MAX = 100_000;
export const BATCH_BYTES_MAX = 2 ** 30;
export const PAYLOAD_BYTES_MAX = 2 ** 26;
export const NAME_BYTES_MAX = 255;

/** @throws RangeError `INVALID_ARGUMENT` for fields that no table can be made for. */
export function checkFields(fields: readonly StoredField[]): void {
  if (fields.length > FIELDS_MAX) {
    throw outOfRange('the number of vector fields', `at most ${FIELDS_MAX}`, fields.length);
  }
  for (const { name, size, originals, multi } of fields) {
    if (!Number.isInteger(size) || size < 1 || size > VECTOR_SIZE_MAX) {
      throw outOfRange(`the size of ${name}`, `an integer from 1 to ${VECTOR_SIZE_MAX}`, size);
    }
    if (!['float32', 'float16', 'none'].includes(originals)) {
      throw outOfRange(`originals of ${name}`, 'float32 or float16 or none', originals);
    }
    if (multi !== undefined && typeof multi !== 'boolean') {
      throw outOfRange(`multi of ${name}`, 'a boolean', multi);
    }
  }
}

/** @throws RangeError `INVALID_ARGUMENT` */
export function checkName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw outOfRange('the name of a collection', `of 1 to ${NAME_BYTES_MAX} bytes`, name);
  }
}

/**
 * @throws RangeError for columns that do not fit the fields or each other; LeandexError
 * `RESOURCE_EXHAUSTED` for more than one transaction takes
 */
export function checkBatch(fields: readonly StoredField[], batch: PointBatch): void {
  const { ids, payloads, columns } = batch;
  if (ids.length > BATCH_POINTS_MAX) throw tooMuch(`${ids.length} points`, BATCH_POINTS_MAX);
  if (payloads.length !== ids.length) {
    throw outOfRange('the number of payloads', `${ids.length}`, payloads.length);
  }
  let bytes = 0;
  for (const json of payloads) {
    if (json === null) continue;
    checkPayloadBytes(json);
    bytes += json.length;
  }
  for (const column of columns) {
    const field = fields[column.field];
    if (field === undefined) {
      throw outOfRange('a vector field', `below ${fields.length}`, column.field);
    }
    checkPlaces(column.at, ids.length);
    checkColumn(field, column, column.at?.length ?? ids.length);
    bytes += column.vectors.byteLength;
  }
  if (bytes > BATCH_BYTES_MAX) throw tooMuch(`${bytes} bytes`, BATCH_BYTES_MAX);
}

function checkColumn(
  { size, multi }: StoredField,
  { vectors, offsets }: VectorColumn,
  count: number,
): void {
  if ((offsets !== undefined) !== (multi ?? false)) {
    throw outOfRange('offsets', multi ? 'there in a multi field' : 'absent', offsets);
  }
  if (offsets !== undefined) checkOffsets(offsets, count);
  const rows = offsets?.[count] ?? count;
  if (vectors.length !== rows * size) {
    throw wrongDimension('a column of vectors', rows * size, vectors.length);
  }
}

/** Each point has one vector at least. */
function checkOffsets(offsets: Uint32Array, count: number): void {
  if (offsets.length !== count + 1) {
    throw outOfRange('the number of offsets', `${count + 1}`, offsets.length);
  }
  const isRising = offsets.every((offset, i) =>
    i === 0 ? offset === 0 : offset > offsets[i - 1]!,
  );
  if (!isRising) throw outOfRange('offsets', 'rising from 0', offsets);
}

function checkPlaces(at: Uint32Array | undefined, count: number): void {
  let least = 0;
  for (const place of at ?? []) {
    if (place < least || place >= count) {
      throw outOfRange('places in a batch', `ascending and below ${count}`, place);
    }
    least = place + 1;
  }
}

/** @throws LeandexError `RESOURCE_EXHAUSTED` */
export function checkPayloadBytes(json: string): void {
  // A character takes at most three bytes for each of its UTF-16 units.
  if (3 * json.length <= PAYLOAD_BYTES_MAX) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > PAYLOAD_BYTES_MAX) throw tooMuch(`a payload of ${bytes} bytes`, PAYLOAD_BYTES_MAX);
}

function tooMuch(what: string, most: number): LeandexError {
  return new LeandexError('RESOURCE_EXHAUSTED', `${what} are too many at once: at most ${most}`, {
    details: { most },
  });
}
