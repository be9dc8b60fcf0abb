import { randomInt } from 'node:crypto';
import type { PointId } from '../../base/point-id.js';
import type { Collection } from '../../db/collection.js';
import type { Filter, Hit, Scroll, Selection, StoredRecord, StoredVector } from '../../db/types.js';
import { onlyVector, vectorOf } from './records.js';

const PAGE = 2048;

/** A search that looks at the stored vector of every point that matches. */
export interface Scan extends Selection {
  /** The stored name of the vector. */
  field: string;
  filter: Filter | undefined;
  /** Larger is better. Several vectors of a point lie row after row. */
  score: (vector: Float32Array) => number;
  scoreThreshold: number | undefined;
  limit: number;
  offset: number;
  signal: AbortSignal;
}

/** The best points by any score: exact, and as slow as reading all vectors is. */
export async function scanBest(collection: Collection, scan: Scan): Promise<Hit[]> {
  const { field, score, scoreThreshold = Number.NEGATIVE_INFINITY } = scan;
  const wanted = scan.limit + scan.offset;
  let best: { id: PointId; score: number }[] = [];
  const keep = () => {
    best.sort((a, b) => b.score - a.score);
    best = best.slice(0, wanted);
  };
  const { filter, signal } = scan;
  for await (const records of pages(collection, { filter, signal, ...onlyVector(field) })) {
    for (const record of records) {
      const vector = rowsOf(record, field);
      const found = vector && score(vector);
      if (found !== undefined && found >= scoreThreshold)
        best.push({ id: record.id, score: found });
    }
    if (best.length > 2 * wanted + PAGE) keep();
  }
  keep();
  return withRecords(collection, best.slice(scan.offset), scan);
}

/** So many of the points that match, each as likely as any other, in a random order. */
export async function sampleIds(
  collection: Collection,
  { filter, count, signal }: { filter: Filter | undefined; count: number; signal: AbortSignal },
): Promise<PointId[]> {
  const chosen: PointId[] = [];
  let seen = 0;
  for await (const records of pages(collection, { filter, signal })) {
    for (const { id } of records) {
      // Algorithm R (Vitter 1985), the first ones shuffled too.
      const place = randomInt(++seen);
      if (chosen.length < count) {
        chosen.push(id);
        if (place < chosen.length - 1) swap(chosen, place, chosen.length - 1);
      } else if (place < count) chosen[place] = id;
    }
  }
  return chosen;
}

function swap(list: PointId[], i: number, j: number): void {
  [list[i], list[j]] = [list[j]!, list[i]!];
}

async function* pages(
  collection: Collection,
  scroll: Pick<Scroll, 'filter' | 'withVector' | 'signal'>,
): AsyncGenerator<StoredRecord[]> {
  let offset: PointId | undefined;
  do {
    const page = await collection.scroll({ ...scroll, withPayload: false, limit: PAGE, offset });
    yield page.points;
    offset = page.next ?? undefined;
  } while (offset !== undefined);
}

/** Points with these scores; those that have gone meanwhile are left out. */
export async function withRecords(
  collection: Collection,
  scored: readonly { id: PointId; score: number }[],
  { withPayload, withVector }: Selection,
): Promise<Hit[]> {
  const ids = scored.map(({ id }) => id);
  const records = await collection.retrieve(ids, { withPayload, withVector });
  const byId = new Map(records.map((record) => [record.id, record]));
  return scored.flatMap(({ id, score }) => {
    const record = byId.get(id);
    return record === undefined ? [] : [{ ...record, score }];
  });
}

/** The vector of a record, several of them row after row; undefined where it has none. */
export function rowsOf(record: StoredRecord, field: string): Float32Array | undefined {
  const stored = vectorOf(record, field) as StoredVector | undefined;
  if (!Array.isArray(stored)) return stored as Float32Array | undefined;
  const rows = new Float32Array(stored.length * (stored[0]?.length ?? 0));
  stored.forEach((row: Float32Array, i: number) => {
    rows.set(row, i * row.length);
  });
  return rows;
}
