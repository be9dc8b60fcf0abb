import type { Steps } from '../base/steps.js';
import { Bitmap } from './bitmap.js';
import type { FieldTest, ValueTest } from './conditions.js';
import { type FieldSchema, tokenizerOf, typeOf } from './field-schema.js';
import { GeoIndex } from './geo-index.js';
import { isEmpty } from './match.js';
import { NumberIndex } from './number-index.js';
import { foundAt, type Path } from './path.js';
import { TermIndex } from './term-index.js';
import { TextIndex } from './text-index.js';
import type { Payload } from './types.js';
import type { ValueIndex } from './value-index.js';

/** The sets of rows that every index keeps, by the values at its path. */
export const ROW_SETS = ['valued', 'others', 'several', 'bare', 'nulls'] as const;

/** The rows that match between two bounds: surely these, and no others than those possible. */
export interface Bounds {
  possible: Bitmap;
  /** The same object as `possible` where all is sure. */
  sure: Bitmap;
}

/** Takes note of a bitmap that is to be disposed of in the end. */
export type Keep = (bitmap: Bitmap) => Bitmap;

/** The index of one path: what values rows have there, and an index of those of its type. */
export class FieldIndex {
  readonly schema: FieldSchema;
  readonly values: AnyValueIndex;
  /**
   * valued: rows with a value of the type; others: with one of another type, null apart; several:
   * with more than one value; bare: with none, yet not empty, as `[null]`; nulls: with a null.
   */
  readonly rows: Record<(typeof ROW_SETS)[number], Bitmap>;
  private readonly path: Path;

  constructor(path: Path, schema: FieldSchema) {
    this.path = path;
    this.schema = schema;
    this.values = newValueIndex(schema);
    this.rows = {
      valued: Bitmap.empty(),
      others: Bitmap.empty(),
      several: Bitmap.empty(),
      bare: Bitmap.empty(),
      nulls: Bitmap.empty(),
    };
  }

  add(row: number, payload: Payload | null): void {
    const { keys, sets } = this.read(payload);
    for (const key of keys) this.values.add(key, row);
    for (const name of sets) this.rows[name].add(row);
  }

  remove(row: number, payload: Payload | null): void {
    const { keys, sets } = this.read(payload);
    for (const key of keys) this.values.remove(key, row);
    for (const name of sets) this.rows[name].remove(row);
  }

  *forget(rows: Bitmap): Steps<void> {
    for (const name of ROW_SETS) this.rows[name].andNotInPlace(rows);
    yield* this.values.forget(rows);
  }

  /** The keys of a payload's values, and the sets that its row belongs to. */
  private read(payload: Payload | null) {
    const found = foundAt(payload, this.path);
    const elements = found.flat(1);
    const keys: IndexKey[] = [];
    let others = 0;
    for (const element of elements) {
      if (element === null) continue;
      const key = this.values.keyOf(element);
      if (key === undefined) others++;
      else keys.push(key);
    }
    const sets: (typeof ROW_SETS)[number][] = [];
    if (keys.length > 0) sets.push('valued');
    if (others > 0) sets.push('others');
    if (keys.length + others > 1) sets.push('several');
    if (keys.length + others === 0 && !found.every(isEmpty)) sets.push('bare');
    if (keys.length + others < elements.length) sets.push('nulls');
    return { keys, sets };
  }

  /** The rows whose values pass; undefined where the index cannot tell. */
  bounds(test: FieldTest, live: Bitmap, keep: Keep): Bounds | undefined {
    const { valued, others, bare, nulls } = this.rows;
    switch (test.kind) {
      case 'is_empty': {
        const filled = keep(valued.or(others));
        filled.orInPlace(bare);
        return exactly(keep(live.andNot(filled)));
      }
      case 'is_null':
        return exactly(nulls);
      case 'values_count':
        return undefined;
      case 'except':
        return this.except(test, keep);
      default:
        return this.passing(test, keep);
    }
  }

  private passing(test: ValueTest, keep: Keep): Bounds | undefined {
    const { valued, others, several } = this.rows;
    const found = this.values.find(test, several.isEmpty ? valued : undefined);
    if (found === undefined) return undefined;
    const rows = keep(found.rows);
    const possible = found.othersToo && !others.isEmpty ? keep(rows.or(others)) : rows;
    if (found.unsure === 'none') return { possible, sure: rows };
    const unsure = keep(found.unsure === 'several' ? rows.and(several) : found.unsure);
    return unsure.isEmpty
      ? { possible, sure: rows }
      : { possible, sure: keep(rows.andNot(unsure)) };
  }

  /** Only rows whose one value is excluded surely fail; with several, another one may pass. */
  private except(test: Extract<ValueTest, { kind: 'except' }>, keep: Keep): Bounds {
    const { valued, others, several } = this.rows;
    const all = keep(valued.or(others));
    const found = this.values.find({ kind: 'any', values: test.values });
    if (found === undefined) return { possible: all, sure: keep(Bitmap.empty()) };
    const excluded = keep(found.rows);
    const possible = keep(all.andNot(keep(excluded.andNot(several))));
    const unsure = keep(excluded.and(several));
    if (found.othersToo) unsure.orInPlace(others);
    return unsure.isEmpty ? exactly(possible) : { possible, sure: keep(possible.andNot(unsure)) };
  }

  /** Bytes of memory, roughly. */
  get byteLength(): number {
    return ROW_SETS.reduce((sum, name) => sum + this.rows[name].byteLength, this.values.byteLength);
  }

  dispose(): void {
    this.values.dispose();
    for (const name of ROW_SETS) this.rows[name].dispose();
  }
}

export function exactly(rows: Bitmap): Bounds {
  return { possible: rows, sure: rows };
}

type IndexKey = string | number | boolean;

/** Each index is given back only the keys that it made. */
type AnyValueIndex = (TermIndex | NumberIndex | GeoIndex | TextIndex) & ValueIndex<IndexKey>;

function newValueIndex(schema: FieldSchema): AnyValueIndex {
  const tokenizer = tokenizerOf(schema);
  if (tokenizer !== undefined) return new TextIndex(tokenizer) as AnyValueIndex;
  const type = typeOf(schema);
  switch (type) {
    case 'integer':
    case 'float':
    case 'datetime':
      return new NumberIndex(type) as AnyValueIndex;
    case 'geo':
      return new GeoIndex() as AnyValueIndex;
    default:
      return new TermIndex(type as 'keyword') as AnyValueIndex;
  }
}
