import type { PointId } from '../base/point-id.js';
import { Bitmap } from '../filter/bitmap.js';
import type { ParsedFilter } from '../filter/conditions.js';
import { evaluate } from '../filter/evaluate.js';
import { idsIn, parseFilter } from '../filter/parse.js';
import type { Filter } from '../filter/types.js';
import type { StoredCollection } from '../store/stored-collection.js';
import { NONE } from '../store/types.js';
import { AllowedRows } from './allowed-rows.js';
import type { CollectionState } from './state.js';

/** Filters whose rows are kept for the next query with the same. */
const KEPT = 32;
/** How often payloads are looked at again because points were written meanwhile. */
const TRIES_MAX = 8;

/** Finds the rows that filters match: by payload indexes, and by looking at what these leave open. */
export class Filtering {
  private readonly state: CollectionState;
  private readonly stored: StoredCollection;
  private readonly settled: () => Promise<void>;
  private readonly kept = new Map<string, { rows: AllowedRows; stamp: number }>();

  /** @param settled resolves when memory knows of all that is committed. */
  constructor(state: CollectionState, stored: StoredCollection, settled: () => Promise<void>) {
    this.state = state;
    this.stored = stored;
    this.settled = settled;
  }

  /**
   * The living rows that match; undefined where there is no filter.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` naming the part of the filter that is wrong.
   */
  async rowsFor(
    filter: Filter | null | undefined,
    signal?: AbortSignal,
  ): Promise<AllowedRows | undefined> {
    if (filter === undefined || filter === null) return undefined;
    const { stamp } = this.state;
    const key = keyOf(filter);
    const known = key === undefined ? undefined : this.kept.get(key);
    if (known?.stamp === stamp) return known.rows;
    const found = await this.find(filter, signal);
    const rows = new AllowedRows(found.rows, this.state.nextRow, found.replacements);
    found.rows.dispose();
    if (key !== undefined && stamp === this.state.stamp) this.keep(key, rows, stamp);
    return rows;
  }

  private keep(key: string, rows: AllowedRows, stamp: number): void {
    this.kept.delete(key);
    this.kept.set(key, { rows, stamp });
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value!);
  }

  private async find(filter: Filter, signal?: AbortSignal) {
    const parsed = parseFilter('filter', filter, this.state.indexes.schemas);
    const ids = idsIn(parsed);
    // What was looked at, and what of it matches.
    const seen = Bitmap.empty();
    const matching = Bitmap.empty();
    try {
      for (let tries = 1; ; tries++) {
        const { rows, unsure, replacements } = await this.evaluate(parsed, ids);
        const open = unsure.andNot(seen);
        const candidates = open.toUint32Array();
        open.dispose();
        let gone = 0;
        if (candidates.length > 0) {
          const found = await this.stored.match(parsed, candidates, signal ? { signal } : {});
          seen.addMany(candidates);
          matching.addMany(found.rows);
          gone = found.gone;
        }
        unsure.andNotInPlace(matching);
        rows.andNotInPlace(unsure);
        unsure.dispose();
        const isCurrent = gone === 0 && replacements === this.state.replacements;
        if (isCurrent || tries === TRIES_MAX) return { rows, replacements };
        // Points that were written anew meanwhile have other rows, once memory knows of them.
        rows.dispose();
        if (gone > 0) await this.settled();
      }
    } finally {
      seen.dispose();
      matching.dispose();
    }
  }

  private async evaluate(parsed: ParsedFilter, ids: readonly PointId[]) {
    const rowsOfIds = ids.length === 0 ? undefined : await this.stored.rowsOf(ids);
    const rowOf = new Map(ids.map((id, i) => [id, rowsOfIds![i]!]));
    while (this.state.changing !== undefined) await this.state.changing;
    const { live, indexes, replacements } = this.state;
    const found = evaluate(parsed, {
      live,
      indexes,
      rowOf: (id) => {
        const row = rowOf.get(id);
        return row === NONE ? undefined : row;
      },
      withVector: (name) => this.state.withVector(name),
    });
    return { ...found, replacements };
  }
}

/** The filter as a text; undefined where it is too long to be worth it, or has no such form. */
function keyOf(filter: Filter): string | undefined {
  try {
    // An id given as bigint has none: as a text it would be that of another id.
    const key = JSON.stringify(filter);
    return key !== undefined && key.length <= 4096 ? key : undefined;
  } catch {
    return undefined;
  }
}
