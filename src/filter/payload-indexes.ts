import { checkInteger } from '../base/check.js';
import { LeandexError } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import type { Bitmap } from './bitmap.js';
import { type FacetHit, FacetRanking } from './facet.js';
import { FieldIndex, ROW_SETS } from './field-index.js';
import { checkFieldSchema, type FieldSchema, type FieldType, typeOf } from './field-schema.js';
import { parsePath, pathText } from './path.js';
import type { Payload } from './types.js';

const LIMIT_MAX = 0x7fff_ffff;

/** Types whose values are few enough to be counted. */
const COUNTED: readonly FieldType[] = ['keyword', 'integer', 'bool', 'uuid'];

/** The indexes of a collection's payloads, by field: a path in whichever way it is written. */
export class PayloadIndexes {
  private readonly fields = new Map<string, FieldIndex>();
  private changes = 0;

  /** @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `ALREADY_EXISTS` */
  create(field: string, schema: FieldSchema): void {
    const path = parsePath('field', field);
    const name = pathText(path);
    const checked = checkFieldSchema('field schema', schema);
    if (this.fields.has(name)) {
      throw new LeandexError('ALREADY_EXISTS', `field ${name} is indexed already`);
    }
    this.fields.set(name, new FieldIndex(path, checked));
    this.changes++;
  }

  /** Whether it was there. */
  drop(field: string): boolean {
    const name = pathText(parsePath('field', field));
    this.fields.get(name)?.dispose();
    this.changes++;
    return this.fields.delete(name);
  }

  /** Takes the indexes of another, which has none then, in the place of its own of the same fields. */
  adopt(other: PayloadIndexes): void {
    for (const [name, index] of other.fields) {
      this.fields.get(name)?.dispose();
      this.fields.set(name, index);
    }
    other.fields.clear();
  }

  get schemas(): ReadonlyMap<string, FieldSchema> {
    return new Map([...this.fields].map(([name, { schema }]) => [name, schema]));
  }

  /**
   * How many rows have a value of the indexed type, of those given or of all; 0 for a field that is
   * not indexed.
   */
  pointsIn(field: string, among?: Bitmap): number {
    const valued = this.at(pathText(parsePath('field', field)))?.rows.valued;
    if (valued === undefined) return 0;
    return among === undefined ? valued.size : valued.andSize(among);
  }

  /** Another number after every change. */
  get revision(): number {
    return this.changes;
  }

  entries(): IterableIterator<[field: string, index: FieldIndex]> {
    return this.fields.entries();
  }

  /** The index of a field by the text of `pathText`. */
  at(name: string): FieldIndex | undefined {
    return this.fields.get(name);
  }

  /** @param fields those to add to, when an index is built anew; else all. */
  add(row: number, payload: Payload | null, fields?: Iterable<string>): void {
    for (const index of this.chosen(fields)) index.add(row, payload);
    this.changes++;
  }

  /** @param payload the one that the row was added with. */
  remove(row: number, payload: Payload | null): void {
    for (const index of this.fields.values()) index.remove(row, payload);
    this.changes++;
  }

  /** Removes rows whose payload is not known any more; takes as long as the indexes are large. */
  forget(rows: Bitmap): void {
    drain(this.forgetting(rows));
  }

  /**
   * The same in slices. Rows and fields may come and go meanwhile, and some of `rows` may then be
   * left: they must not be live.
   */
  *forgetting(rows: Bitmap): Steps<void> {
    // A map hands out what is added while it is walked, and not what is dropped.
    for (const index of this.fields.values()) {
      for (const step of index.forget(rows)) {
        this.changes++;
        yield step;
      }
    }
    this.changes++;
  }

  /** Removes all rows but these, in slices. */
  *forgettingAllBut(live: Bitmap): Steps<void> {
    for (const index of this.fields.values()) {
      for (const name of ROW_SETS) {
        const gone = index.rows[name].andNot(live);
        if (!gone.isEmpty) yield* this.forgetting(gone);
        gone.dispose();
      }
    }
  }

  /** Whether facet() can count all that these rows have in a field. */
  countsAllOf(field: string, among: Bitmap): boolean {
    const index = this.fields.get(field);
    if (index === undefined || !COUNTED.includes(typeOf(index.schema))) return false;
    return index.rows.others.andSize(among) === 0;
  }

  private chosen(fields: Iterable<string> | undefined): Iterable<FieldIndex> {
    if (fields === undefined) return this.fields.values();
    return [...fields].map((field) => this.indexOf(field));
  }

  private indexOf(field: string): FieldIndex {
    const name = pathText(parsePath('field', field));
    const index = this.fields.get(name);
    if (index !== undefined) return index;
    throw new LeandexError('NOT_FOUND', `field ${name} is not indexed`);
  }

  /**
   * How often each value occurs among these rows, the most frequent first, then by value.
   * @throws LeandexError `NOT_FOUND` for a field that is not indexed, `UNSUPPORTED` for an index of
   * a type whose values cannot be counted.
   */
  facet(field: string, rows: Bitmap, limit: number): FacetHit[] {
    const { values, schema } = this.indexOf(field);
    if (values.counts === undefined || !COUNTED.includes(typeOf(schema))) {
      throw new LeandexError(
        'UNSUPPORTED',
        `values of field ${field} cannot be counted: it is indexed as ${typeOf(schema)}`,
      );
    }
    const ranking = new FacetRanking(checkInteger('limit', limit, 1, LIMIT_MAX));
    values.counts(rows, (value, count) => ranking.add(value, count));
    return ranking.best();
  }

  /** Bytes of memory, roughly. */
  get byteLength(): number {
    let total = 0;
    for (const index of this.fields.values()) total += index.byteLength;
    return total;
  }

  dispose(): void {
    for (const index of this.fields.values()) index.dispose();
    this.fields.clear();
  }
}
