import type { Steps } from '../base/steps.js';
import { BestScores } from '../store/best-scores.js';
import type { RowScores } from './field.js';
import { asSparse, indexBits, PAIR_NUMBERS } from './sparse-vectors.js';

/** How the values of a query are changed: by `idf` an index counts the more the fewer points have it. */
export type SparseModifier = 'none' | 'idf';

/** Rows that have an index, ascending, with their values; NaN where the row is gone. */
interface Posting {
  rows: Uint32Array;
  values: Float32Array;
  count: number;
  gone: number;
}

/** Rows whose scores are gathered at once: half a megabyte. */
const WINDOW_ROWS = 1 << 16;
const ROOM_MIN = 4;
/** Rows that are gone stay until they are so many, and half of all. */
const GONE_MIN = 16;

/** Sparse vectors by row, and for each index the rows that have it. Scores are exact. */
export class SparsePostings {
  private readonly postings = new Map<number, Posting>();
  private readonly indicesOf = new Map<number, Uint32Array>();
  private entries = 0;
  private lastRow = -1;

  /** Rows that are there. */
  get count(): number {
    return this.indicesOf.size;
  }

  /** Different indices that rows have, and how many pairs of index and row there are. */
  get size(): { indices: number; entries: number } {
    return { indices: this.postings.size, entries: this.entries };
  }

  /** Bytes of memory, roughly. */
  get byteLength(): number {
    let bytes = 4 * this.entries;
    for (const { rows } of this.postings.values()) bytes += 8 * rows.length;
    return bytes;
  }

  has(row: number): boolean {
    return this.indicesOf.has(row);
  }

  /** @param pairs of a row that is not there */
  add(row: number, pairs: Float32Array): void {
    const { indices, values } = asSparse(pairs);
    this.indicesOf.set(row, indices);
    this.entries += indices.length;
    this.lastRow = Math.max(this.lastRow, row);
    for (const [i, index] of indices.entries()) {
      let posting = this.postings.get(index);
      if (posting === undefined) {
        posting = {
          rows: new Uint32Array(ROOM_MIN),
          values: new Float32Array(ROOM_MIN),
          count: 0,
          gone: 0,
        };
        this.postings.set(index, posting);
      }
      insert(posting, row, values[i]!);
    }
  }

  remove(row: number): void {
    const indices = this.indicesOf.get(row);
    if (indices === undefined) return;
    this.indicesOf.delete(row);
    this.entries -= indices.length;
    for (const index of indices) {
      const posting = this.postings.get(index)!;
      posting.values[placeOf(posting, row)] = Number.NaN;
      posting.gone++;
      if (posting.gone === posting.count) this.postings.delete(index);
      else if (posting.gone >= GONE_MIN && 2 * posting.gone > posting.count) compact(posting);
    }
  }

  /**
   * The k rows with the largest inner products of those that share an index with the query, best
   * first, equal ones by row. Rows that come or go meanwhile may be in it or not.
   */
  *search(
    query: Float32Array,
    k: number,
    modifier: SparseModifier,
    isAllowed: (row: number) => boolean,
  ): Steps<RowScores> {
    const terms = this.termsOf(query, modifier);
    const best = new BestScores('Dot', k);
    const end = this.lastRow + 1;
    const sums = new Float64Array(Math.min(WINDOW_ROWS, end));
    const isTouched = new Uint8Array(sums.length);
    for (let after = 0; ; ) {
      const from = Math.min(...terms.map(({ posting }) => firstRow(posting, after)));
      if (!(from < end)) break;
      const to = from + sums.length;
      after = to;
      for (const { posting, weight } of terms) {
        const { rows, values, count } = posting;
        for (let i = placeOf(posting, from); i < count && rows[i]! < to; i++) {
          const value = values[i]!;
          if (Number.isNaN(value)) continue;
          sums[rows[i]! - from]! += weight * value;
          isTouched[rows[i]! - from] = 1;
        }
      }
      for (let i = isTouched.indexOf(1); i >= 0; i = isTouched.indexOf(1, i + 1)) {
        if (isAllowed(from + i)) best.add(from + i, sums[i]!);
      }
      sums.fill(0);
      isTouched.fill(0);
      yield undefined;
    }
    const { rows, scores } = best.best();
    return { ids: rows, scores };
  }

  private termsOf(query: Float32Array, modifier: SparseModifier) {
    const bits = indexBits(query);
    const terms: { posting: Posting; weight: number }[] = [];
    for (let i = 0; i < query.length; i += PAIR_NUMBERS) {
      const posting = this.postings.get(bits[i]!);
      if (posting === undefined) continue;
      const factor = modifier === 'idf' ? idf(this.count, posting.count - posting.gone) : 1;
      terms.push({ posting, weight: factor * query[i + 1]! });
    }
    return terms;
  }
}

/** Inverse document frequency as BM25 has it, never below zero. */
function idf(count: number, having: number): number {
  return Math.log(1 + (count - having + 0.5) / (having + 0.5));
}

/** The place of a row, or of the first one after it. */
function placeOf({ rows, count }: Posting, row: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first row from one on; Infinity where there is none. */
function firstRow(posting: Posting, row: number): number {
  const place = placeOf(posting, row);
  return place < posting.count ? posting.rows[place]! : Number.POSITIVE_INFINITY;
}

/** New rows come last, but for those that are found again in the store. */
function insert(posting: Posting, row: number, value: number): void {
  const { count } = posting;
  if (count === posting.rows.length) grow(posting);
  const { rows, values } = posting;
  const at = count > 0 && rows[count - 1]! >= row ? placeOf(posting, row) : count;
  if (at < count && rows[at] === row) {
    // The row was gone, and has its place still.
    values[at] = value;
    posting.gone--;
    return;
  }
  if (at < count) {
    rows.copyWithin(at + 1, at, count);
    values.copyWithin(at + 1, at, count);
  }
  rows[at] = row;
  values[at] = value;
  posting.count++;
}

function grow(posting: Posting): void {
  const rows = new Uint32Array(2 * posting.rows.length);
  const values = new Float32Array(rows.length);
  rows.set(posting.rows);
  values.set(posting.values);
  Object.assign(posting, { rows, values });
}

function compact(posting: Posting): void {
  const there = [...Array(posting.count).keys()].filter((i) => !Number.isNaN(posting.values[i]));
  const room = Math.max(ROOM_MIN, Math.ceil(1.25 * there.length));
  const rows = new Uint32Array(room);
  const values = new Float32Array(room);
  for (const [to, from] of there.entries()) {
    rows[to] = posting.rows[from]!;
    values[to] = posting.values[from]!;
  }
  Object.assign(posting, { rows, values, count: there.length, gone: 0 });
}
