import type { Bitmap } from '../filter/bitmap.js';
import { evaluate } from '../filter/evaluate.js';
import { idsIn, parseFilter } from '../filter/parse.js';
import type { Filter } from '../filter/types.js';
import type { StoredCollection } from '../store/stored-collection.js';
import { NONE } from '../store/types.js';
import { AllowedRows } from './allowed-rows.js';
import type { CollectionState } from './state.js';

/** Filters whose rows are kept for the next query with the same. */
const KEPT = 32;

/** Finds the rows that filters match: by payload indexes, and by looking at what these leave open. */
export class Filtering {
  private readonly state: CollectionState;
  private readonly stored: StoredCollection;
  private readonly kept = new Map<string, { rows: AllowedRows; stamp: number }>();

  constructor(state: CollectionState, stored: StoredCollection) {
    this.state = state;
    this.stored = stored;
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
    const rows = new AllowedRows(found, this.state.nextRow);
    found.dispose();
    if (key !== undefined && stamp === this.state.stamp) this.keep(key, rows, stamp);
    return rows;
  }

  private keep(key: string, rows: AllowedRows, stamp: number): void {
    this.kept.delete(key);
    this.kept.set(key, { rows, stamp });
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value!);
  }

  private async find(filter: Filter, signal?: AbortSignal): Promise<Bitmap> {
    const { state } = this;
    const parsed = parseFilter('filter', filter);
    const ids = idsIn(parsed);
    const rowsOfIds = ids.length === 0 ? undefined : await this.stored.rowsOf(ids);
    const rowOf = new Map(ids.map((id, i) => [id, rowsOfIds![i]!]));
    const { rows, unsure, exact } = evaluate(parsed, {
      live: state.live,
      indexes: state.indexes,
      rowOf: (id) => {
        const row = rowOf.get(id);
        return row === NONE ? undefined : row;
      },
      withVector: (name) => state.withVector(name),
    });
    if (!exact) {
      const open = unsure.toUint32Array();
      const matching = await this.stored.match(filter, open, signal ? { signal } : {});
      rows.andNotInPlace(unsure);
      rows.addMany(matching);
    }
    unsure.dispose();
    return rows;
  }
}

/** The filter as a text; undefined where it is too long to be worth it, or has no such form. */
function keyOf(filter: Filter): string | undefined {
  try {
    const key = JSON.stringify(filter, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    return key !== undefined && key.length <= 4096 ? key : undefined;
  } catch {
    return undefined;
  }
}
