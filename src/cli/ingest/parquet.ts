import { openParquet } from '../../../datasets/parquet-file.js';
import type { Point } from '../../db/types.js';
import { atPlace, type FieldNames, pointOf, RecordProblem } from './records.js';
import type { PointSource } from './sources.js';

/**
 * The rows of a Parquet file as records, one row group in memory at a time.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED` for compressions that Node does not have.
 */
export async function parquetSource(path: string, names: FieldNames): Promise<PointSource> {
  const { metadata, rows: readRows } = await openParquet(path);
  const total = Number(metadata.num_rows);
  let done = 0;
  async function* points(): AsyncGenerator<Point> {
    for (const { num_rows: rows } of metadata.row_groups) {
      const records = await readRows(done, done + Number(rows));
      for (const record of records) yield pointOfRow(record, done++);
    }
  }
  function pointOfRow(record: Record<string, unknown>, row: number): Point {
    try {
      const plain = Object.entries(record).map(([name, value]) => [name, plainOf(name, value)]);
      const known = plain.filter(([, value]) => value !== undefined);
      return pointOf(Object.fromEntries(known), names, row);
    } catch (error) {
      throw atPlace(error, place(row));
    }
  }
  const place = (n: number) => `${path}, row ${n}`;
  return { points, place, progress: () => ({ done, total }), close() {} };
}

/** A value of Parquet as JSON has it: nothing is rounded, nothing changed in silence. */
function plainOf(name: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((each) => plainOf(name, each));
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array) throw new RecordProblem(`column "${name}" is of raw bytes`);
    return Array.from(value as unknown as ArrayLike<number | bigint>, (each) =>
      plainOf(name, each),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(name, each)]));
}
