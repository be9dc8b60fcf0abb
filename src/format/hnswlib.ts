import { checkInteger } from '../base/check.js';
import { LeandexError, wrongDimension, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';

/** What an hnswlib index file holds, without its links. */
export interface HnswlibContent {
  /** Vectors that are not marked as deleted. */
  count: number;
  /** Links a vector gets on the upper layers; twice as many on layer 0. */
  m: number;
  efConstruction: number;
  /**
   * count x dimensions, in the order of hnswlib's slots, as hnswlib compares them: of unit length
   * if the index was made for cosine. The file does not say for which distance it was made.
   */
  vectors: Float32Array;
  /**
   * The label of each vector. A label may occur twice: hnswlib writes such files itself after
   * `addPoint(…, replaceDeleted)` with a label that is in use.
   */
  labels: BigUint64Array;
  /** Vectors that are marked as deleted, which are left out above. */
  deleted: number;
}

/** The start of a file, checked for whether its numbers agree with each other. */
interface Header {
  /** Slots in use, those of deleted vectors among them. */
  slots: number;
  m: number;
  efConstruction: number;
  /** The highest layer, from 0; -1 without vectors. */
  maxLevel: number;
  entry: number;
  /** Bytes of a slot: the links of layer 0, the vector, the label. */
  slotBytes: number;
  vectorOffset: number;
  labelOffset: number;
}

const HEADER_BYTES = 96;
const LABEL_BYTES = 8;
/** hnswlib counts the links of a layer in 16 bits, and there are up to 2 m on layer 0. */
const M_MAX = 32_767;
/** The entry point of an index without vectors: -1 as an unsigned number. */
const NO_ENTRY = 0xffff_ffff;
const DELETE_MARK = 1;
/** Slots that are checked between two yields. */
const SLOTS_PER_STEP = 256;

/**
 * Reads an index that hnswlib 0.8 saved on a 64-bit machine, of float32 vectors: by Python's
 * `save_index`, by hnswlib-node 3.0 or in C++. Several threads fill slots in any order, so it is
 * the labels, not the places, that tell the vectors apart.
 *
 * @param bytes the whole file, at any alignment.
 * @throws TypeError, RangeError for wrong arguments: `DIMENSION_MISMATCH` where the file's vectors
 * have another number of dimensions, which the error names; LeandexError `CORRUPT` for a file that
 * is cut short, too long, or that hnswlib cannot have written.
 */
export function readHnswlib(bytes: Uint8Array, dimensions: number): HnswlibContent {
  return drain(readHnswlibSteps(bytes, dimensions));
}

/** `readHnswlib` in slices; the bytes must not change meanwhile. */
export function* readHnswlibSteps(bytes: Uint8Array, dimensions: number): Steps<HnswlibContent> {
  if (!(bytes instanceof Uint8Array)) throw wrongType('bytes', 'a Uint8Array', bytes);
  checkInteger('dimensions', dimensions, 1, 65_536);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view);
  const received = (header.labelOffset - header.vectorOffset) / 4;
  if (received !== dimensions) {
    throw wrongDimension('each vector of the hnswlib file', dimensions, received);
  }
  const levels = yield* readLevels(view, header);
  const deleted = yield* checkLinks(view, header, levels);
  const { slots, m, efConstruction } = header;
  const count = slots - deleted;
  const vectors = new Float32Array(count * dimensions);
  const labels = new BigUint64Array(count);
  for (let slot = 0, row = 0; slot < slots; slot++) {
    if (slot % SLOTS_PER_STEP === 0) yield;
    const start = HEADER_BYTES + slot * header.slotBytes;
    if (isDeleted(view, start)) continue;
    const from = start + header.vectorOffset;
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    copyBytes(bytes, from, vector);
    const column = vector.findIndex((x) => !Number.isFinite(x));
    if (column >= 0) {
      const problem = `number ${column} of the vector in slot ${slot} is ${vector[column]}`;
      throw corrupt(problem, from + column * 4);
    }
    labels[row] = view.getBigUint64(start + header.labelOffset, true);
    row++;
  }
  return { count, m, efConstruction, vectors, labels, deleted };
}

/** Reads and checks the 96 bytes that saveIndex() of hnswalg.h writes first. */
function readHeader(view: DataView): Header {
  if (view.byteLength < HEADER_BYTES) {
    throw corrupt(`it has ${view.byteLength} bytes, and its header alone needs ${HEADER_BYTES}`);
  }
  const size = (offset: number, what: string, least: number, most: number): number => {
    const value = view.getBigUint64(offset, true);
    if (value >= BigInt(least) && value <= BigInt(most)) return Number(value);
    throw corrupt(`${what} is ${value}, expected ${range(least, most)}`, offset);
  };
  const equal = (offset: number, what: string, expected: number) =>
    size(offset, what, expected, expected);
  equal(0, 'the offset of layer 0', 0);
  const m = size(72, 'M', 2, M_MAX);
  equal(56, `the limit of links for M ${m}`, m);
  equal(64, `the limit of links on layer 0 for M ${m}`, 2 * m);
  const multiplier = view.getFloat64(80, true);
  // A logarithm may differ in its last bit between C libraries.
  if (!(Math.abs(multiplier * Math.log(m) - 1) < 1e-9)) {
    throw corrupt(`the level multiplier is ${multiplier}, expected 1 / ln ${m}`, 80);
  }
  const efConstruction = size(88, 'efConstruction', m, Number.MAX_SAFE_INTEGER);
  const vectorOffset = equal(40, `the offset of a vector for M ${m}`, 4 + 8 * m);
  const labelOffset = size(32, 'the offset of a label', vectorOffset + 4, 2 ** 32);
  if ((labelOffset - vectorOffset) % 4 !== 0) {
    const length = labelOffset - vectorOffset;
    throw corrupt(`a vector has ${length} bytes, expected a multiple of 4 for float32`, 32);
  }
  const slotBytes = equal(24, 'the size of an element', labelOffset + LABEL_BYTES);
  // Each slot has its size of the upper links behind all slots.
  const slotsMost = Math.floor((view.byteLength - HEADER_BYTES) / (slotBytes + 4));
  const slots = size(16, `the number of elements in ${view.byteLength} bytes`, 0, slotsMost);
  size(8, 'the capacity', slots, Number.MAX_SAFE_INTEGER);
  const maxLevel = view.getInt32(48, true);
  const entry = view.getUint32(52, true);
  if (slots === 0 ? maxLevel !== -1 : maxLevel < 0) {
    throw corrupt(`the highest layer of ${slots} elements is ${maxLevel}`, 48);
  }
  if (slots === 0 ? entry !== NO_ENTRY : entry >= slots) {
    throw corrupt(`the entry point among ${slots} elements is ${entry}`, 52);
  }
  return { slots, m, efConstruction, maxLevel, entry, slotBytes, vectorOffset, labelOffset };
}

/** The highest layer of each slot, from the sizes of the upper links, which must fill the file. */
function* readLevels(view: DataView, header: Header): Steps<Uint32Array> {
  const { slots, maxLevel, entry } = header;
  const layerBytes = 4 + 4 * header.m;
  const levels = new Uint32Array(slots);
  let at = upperStart(header);
  for (let slot = 0; slot < slots; slot++) {
    if (slot % SLOTS_PER_STEP === 0) yield;
    if (at + 4 > view.byteLength) throw cutShort(view, slot);
    const size = view.getUint32(at, true);
    if (size % layerBytes !== 0 || size / layerBytes > maxLevel) {
      const expected = `expected 0 … ${maxLevel} times ${layerBytes}`;
      throw corrupt(`the upper links of slot ${slot} have ${size} bytes, ${expected}`, at);
    }
    levels[slot] = size / layerBytes;
    at += 4 + size;
    if (at > view.byteLength) throw cutShort(view, slot);
  }
  if (at !== view.byteLength) throw corrupt(`${view.byteLength - at} bytes follow its end`, at);
  if (slots > 0 && levels[entry] !== maxLevel) {
    const problem = `the entry point is on layer ${levels[entry]}, the highest is ${maxLevel}`;
    throw corrupt(problem, 52);
  }
  return levels;
}

/** Checks the links of all layers; how many slots are marked as deleted. */
function* checkLinks(view: DataView, header: Header, levels: Uint32Array): Steps<number> {
  const { slots, m, slotBytes } = header;
  const layerBytes = 4 + 4 * m;
  let deleted = 0;
  let at = upperStart(header);
  for (let slot = 0; slot < slots; slot++) {
    if (slot % SLOTS_PER_STEP === 0) yield;
    const start = HEADER_BYTES + slot * slotBytes;
    checkList(view, start, slot, 0, 2 * m, DELETE_MARK, levels);
    if (isDeleted(view, start)) deleted++;
    at += 4;
    for (let layer = 1; layer <= levels[slot]!; layer++, at += layerBytes) {
      checkList(view, at, slot, layer, m, 0, levels);
    }
  }
  return deleted;
}

/**
 * Checks one list: the number of links in 16 bits, marks in 8 more, 8 bits of nothing, the links.
 * What stands behind the last link is left over from earlier ones.
 */
function checkList(
  view: DataView,
  at: number,
  slot: number,
  layer: number,
  most: number,
  marks: number,
  levels: Uint32Array,
): void {
  const list = () => `slot ${slot}, layer ${layer}`;
  const used = view.getUint16(at, true);
  if (used > most) throw corrupt(`${list()} has ${used} links, at most ${most} fit`, at);
  const flags = view.getUint16(at + 2, true);
  if (flags > marks) throw corrupt(`${list()} has unknown marks: ${flags}`, at + 2);
  for (let i = 1; i <= used; i++) {
    const target = view.getUint32(at + 4 * i, true);
    if (target === slot || !(levels[target]! >= layer)) {
      throw corrupt(`${list()} links to ${target}, which is not another one there`, at + 4 * i);
    }
  }
}

function isDeleted(view: DataView, start: number): boolean {
  return (view.getUint8(start + 2) & DELETE_MARK) !== 0;
}

function upperStart({ slots, slotBytes }: Header): number {
  return HEADER_BYTES + slots * slotBytes;
}

/** Copies the bytes from `from` on into the numbers; both sides are little-endian. */
function copyBytes(bytes: Uint8Array, from: number, to: Float32Array): void {
  const target = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
  target.set(bytes.subarray(from, from + to.byteLength));
}

function range(least: number, most: number): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

function cutShort(view: DataView, slot: number): LeandexError {
  return corrupt(`it is cut short in the upper links of slot ${slot}`, view.byteLength);
}

function corrupt(problem: string, offset?: number): LeandexError {
  const where = offset === undefined ? '' : ` (offset ${offset})`;
  return new LeandexError('CORRUPT', `not a usable hnswlib index file: ${problem}${where}`, {
    details: offset === undefined ? {} : { offset },
  });
}
