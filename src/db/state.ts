import type { PointId } from '../base/point-id.js';
import { runSteps, type Steps, turnIfDue } from '../base/steps.js';
import { Bitmap } from '../filter/bitmap.js';
import { PayloadIndexes } from '../filter/payload-indexes.js';
import type { Payload } from '../filter/types.js';
import { joinVectors, vectorsAt } from '../store/columns.js';
import {
  NONE,
  type PayloadsChanged,
  type PointBatch,
  type VectorColumn,
  type Written,
} from '../store/types.js';
import type { FieldConfig } from './config.js';
import type { Field } from './field.js';
import { RowIds } from './row-ids.js';

const PAYLOADS_PER_STEP = 64;
/** Rows that leave the indexes between two looks at the time. */
const ROWS_PER_STEP = 1024;

/**
 * What a collection holds in memory, all of it derived from the store and named by row: which rows
 * live, whose they are, which vectors they have, and the indexes of vectors and payloads.
 */
export class CollectionState {
  readonly fields: readonly Field[];
  readonly configs: readonly FieldConfig[];
  live = Bitmap.empty();
  /** For each field the rows that have it. */
  readonly fieldRows: Bitmap[];
  readonly ids = new RowIds();
  indexes = new PayloadIndexes();
  /** Of the last write that is applied. */
  version = 0;
  /** Rows below it have been given out. */
  nextRow = 0;
  /** Grows with every change that may alter what a filter matches. */
  stamp = 0;
  /** Grows whenever rows leave for others of the same points, where what had begun may miss both. */
  replacements = 0;
  /** Resolves when the rows that are being brought in have taken their places. */
  replacing: Promise<void> | undefined;

  /** Resolves when payloads that were changed are in the indexes: nobody asks these until then. */
  changing: Promise<void> | undefined;

  constructor(fields: readonly Field[]) {
    this.fields = fields;
    this.configs = fields.map(({ config }) => config);
    this.fieldRows = fields.map(() => Bitmap.empty());
  }

  get count(): number {
    return this.live.size;
  }

  /**
   * Brings in new rows, then lets those go that they replace, so that a search finds every point at
   * any time; while both are there results are told apart by their ids.
   */
  async replace(batch: PointBatch, written: Written): Promise<void> {
    const replacing = this.replaceNow(batch, written);
    this.replacing = replacing.catch(() => {});
    try {
      await replacing;
    } finally {
      this.replacing = undefined;
    }
  }

  private async replaceNow(
    { ids, payloads, columns }: PointBatch,
    { version, rows, removed }: Written,
  ): Promise<void> {
    rows.forEach((row, i) => {
      if (row !== NONE) this.ids.set(row, ids[i]!);
    });
    for (const column of columns) await this.addVectors(column, rows);
    await runSteps(this.indexPayloads(rows, payloads));
    const written = rows.filter((row) => row !== NONE);
    this.live.addMany(written);
    for (const row of written) this.nextRow = Math.max(this.nextRow, row + 1);
    if (removed.length > 0) this.replacements++;
    await this.remove(removed, version);
  }

  private *indexPayloads(rows: Uint32Array, payloads: readonly (string | null)[]): Steps<void> {
    if (this.indexes.schemas.size === 0) return;
    for (const [i, row] of rows.entries()) {
      const json = payloads[i] ?? null;
      if (row !== NONE && json !== null) this.indexes.add(row, parsePayload(json));
      if (i % PAYLOADS_PER_STEP === 0) yield;
    }
  }

  private async addVectors(column: VectorColumn, rows: Uint32Array): Promise<void> {
    const { at, offsets } = column;
    const field = this.fields[column.field]!;
    const { size } = field.config;
    const all = at === undefined ? rows : at.map((place) => rows[place]!);
    const kept = all.filter((row) => row !== NONE);
    if (kept.length === 0) return;
    let vectors: Pick<VectorColumn, 'vectors' | 'offsets'> = column;
    if (kept.length < all.length) {
      const places = [...all.keys()].filter((i) => all[i] !== NONE);
      const own = places.map((i) => vectorsAt(column, i, size));
      vectors = joinVectors(own, { size, multi: offsets !== undefined });
    }
    await field.add(kept, vectors);
    this.fieldRows[column.field]!.addMany(kept);
  }

  /** From now on none of the rows is returned by anything; then they leave the indexes. */
  async remove(rows: Uint32Array, version: number): Promise<void> {
    this.version = version;
    this.stamp++;
    if (rows.length === 0) return;
    const gone = Bitmap.from(rows);
    this.live.andNotInPlace(gone);
    for (const fieldRows of this.fieldRows) fieldRows.andNotInPlace(gone);
    gone.dispose();
    for (let from = 0; from < rows.length; from += ROWS_PER_STEP) {
      const some = rows.subarray(from, from + ROWS_PER_STEP);
      for (const row of some) this.ids.delete(row);
      // What mends the graph afterwards may fail or be ended: the rows are gone all the same.
      for (const field of this.fields) void field.remove(some).catch(() => {});
      await turnIfDue();
    }
  }

  /** The payloads of living rows are others: wholly, or for whoever asks the indexes not yet. */
  async changePayloads({ version, rows, before, after }: PayloadsChanged): Promise<void> {
    const changing = runSteps(this.reindex(rows, before, after));
    this.changing = changing.catch(() => {});
    try {
      await changing;
    } finally {
      this.changing = undefined;
      this.stamp++;
    }
    this.version = version;
  }

  private *reindex(
    rows: Uint32Array,
    before: readonly (string | null)[],
    after: readonly (string | null)[],
  ): Steps<void> {
    if (this.indexes.schemas.size === 0) return;
    for (const [i, row] of rows.entries()) {
      this.indexes.remove(row, parsePayload(before[i] ?? null));
      this.indexes.add(row, parsePayload(after[i] ?? null));
      if (i % PAYLOADS_PER_STEP === 0) yield;
    }
  }

  /** Rows with a vector of this name; undefined where there is no such field. */
  withVector(name: string): Bitmap | undefined {
    const field = this.fields.findIndex(({ config }) => config.name === name);
    return this.fieldRows[field];
  }

  idOf(row: number): PointId | undefined {
    return this.live.has(row) ? this.ids.get(row) : undefined;
  }

  async close(): Promise<void> {
    for (const rows of [this.live, ...this.fieldRows]) rows.dispose();
    this.indexes.dispose();
    await Promise.all(this.fields.map((field) => field.close()));
  }
}

export function parsePayload(json: string | null): Payload | null {
  return json === null ? null : (JSON.parse(json) as Payload);
}
