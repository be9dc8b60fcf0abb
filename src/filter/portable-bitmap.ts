import { countBits } from '../base/bits.js';
import { ByteReader } from './byte-stream.js';

/**
 * The portable serialization of Roaring bitmaps (RoaringFormatSpec): rows in chunks of 65,536 that
 * share their upper 16 bits, each an array of its lower halves, a bitmap or a list of runs. Read
 * strictly here, because the library trusts what is inside the chunks.
 */

const CHUNK_ROWS = 65_536;
const CHUNK_WORDS = CHUNK_ROWS / 32;
/** Chunks of more rows are bitmaps. */
const ARRAY_MAX = 4096;
const COOKIE = 12_346;
const COOKIE_WITH_RUNS = 12_347;
/** Fewer chunks than these have no table of offsets where there are runs. */
const OFFSETS_FROM = 4;

/** Bits of 65,536 rows: bit row & 31 of word row >> 5. */
type Words = Uint32Array;

/**
 * Calls `visit` with each chunk's upper half and the bits of its rows.
 * @param source `library`: the bytes come from the library, so that what takes long is not checked.
 * @throws LeandexError `CORRUPT` for bytes that are not exactly one bitmap in canonical form.
 */
export function readPortable(
  bytes: Uint8Array,
  source: 'library' | 'file',
  visit: (key: number, words: Words) => void,
): void {
  const reader = new ByteReader('set of rows', bytes);
  const cookie = reader.uint32();
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!hasRuns && cookie !== COOKIE) throw reader.corrupt('it begins with no cookie');
  const chunks = hasRuns ? (cookie >>> 16) + 1 : reader.uint32();
  if (chunks > CHUNK_ROWS) throw reader.corrupt('it has too many chunks');
  const isRun = hasRuns ? reader.bytes(Math.ceil(chunks / 8)) : new Uint8Array(0);
  const heads = reader.uint16s(2 * chunks);
  const offsets = !hasRuns || chunks >= OFFSETS_FROM ? reader.uint32s(chunks) : undefined;
  for (let i = 0; i < chunks; i++) {
    const [key, count] = [heads[2 * i]!, heads[2 * i + 1]! + 1];
    if (i > 0 && key <= heads[2 * i - 2]!) throw reader.corrupt('its chunks are out of order');
    if (offsets !== undefined && offsets[i] !== reader.at) {
      throw reader.corrupt('an offset is wrong');
    }
    if (((isRun[i >> 3] ?? 0) >> (i & 7)) & 1) visit(key, readRuns(reader, count));
    else if (count > ARRAY_MAX) visit(key, readBits(reader, count, source));
    else visit(key, readArray(reader, count));
  }
  if (!reader.isAtEnd) throw reader.corrupt('more bytes follow');
}

function readBits(reader: ByteReader, count: number, source: 'library' | 'file'): Words {
  const words = reader.uint32s(CHUNK_WORDS);
  if (source === 'file' && countBits(words) !== count) throw reader.corrupt('a count is wrong');
  return words;
}

function readArray(reader: ByteReader, count: number): Words {
  const words = new Uint32Array(CHUNK_WORDS);
  const lows = reader.uint16s(count);
  let last = -1;
  for (let i = 0; i < count; i++) {
    const low = lows[i]!;
    if (low <= last) throw reader.corrupt('its rows are out of order');
    words[low >> 5]! |= 1 << (low & 31);
    last = low;
  }
  return words;
}

function readRuns(reader: ByteReader, count: number): Words {
  const words = new Uint32Array(CHUNK_WORDS);
  const runs = reader.uint16s(2 * reader.uint16s(1)[0]!);
  let [next, total] = [0, 0];
  for (let i = 0; i < runs.length; i += 2) {
    const [start, end] = [runs[i]!, runs[i]! + runs[i + 1]! + 1];
    if (start < next || end > CHUNK_ROWS) throw reader.corrupt('its runs are out of order');
    setBits(words, start, end - 1);
    // Runs that touch would be one.
    next = end + 1;
    total += end - start;
  }
  if (total !== count) throw reader.corrupt('a count is wrong');
  return words;
}

/** Sets the bits from `first` to `last`. */
function setBits(words: Words, first: number, last: number): void {
  for (let i = first >> 5; i <= last >> 5; i++) {
    const [from, to] = [Math.max(first - 32 * i, 0), Math.min(last - 32 * i, 31)];
    words[i]! |= (-1 << from) & (-1 >>> (31 - to));
  }
}

/** The portable form of the rows whose bits are set: bit row & 31 of word row >> 5. */
export function writePortable(bits: Uint32Array): Uint8Array {
  const chunks: { key: number; count: number; body: Uint16Array | Uint32Array }[] = [];
  let byteLength = 8;
  for (let key = 0; key * CHUNK_WORDS < bits.length; key++) {
    const words = bits.subarray(key * CHUNK_WORDS, (key + 1) * CHUNK_WORDS);
    const count = countBits(words);
    if (count === 0) continue;
    const body = count > ARRAY_MAX ? padded(words) : lowsOf(words, count);
    chunks.push({ key, count, body });
    byteLength += 8 + body.byteLength;
  }
  const bytes = new Uint8Array(byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, COOKIE, true);
  view.setUint32(4, chunks.length, true);
  let at = 8 + 8 * chunks.length;
  chunks.forEach(({ key, count, body }, i) => {
    view.setUint16(8 + 4 * i, key, true);
    view.setUint16(10 + 4 * i, count - 1, true);
    view.setUint32(8 + 4 * chunks.length + 4 * i, at, true);
    bytes.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), at);
    at += body.byteLength;
  });
  return bytes;
}

/** The last chunk may be cut short. */
function padded(words: Words): Words {
  if (words.length === CHUNK_WORDS) return words;
  const whole = new Uint32Array(CHUNK_WORDS);
  whole.set(words);
  return whole;
}

function lowsOf(words: Words, count: number): Uint16Array {
  const lows = new Uint16Array(count);
  let filled = 0;
  for (let i = 0; i < words.length; i++) {
    // Takes the lowest bit that is set until none is left.
    for (let word = words[i]! | 0; word !== 0; word &= word - 1) {
      lows[filled++] = 32 * i + 31 - Math.clz32(word & -word);
    }
  }
  return lows;
}
