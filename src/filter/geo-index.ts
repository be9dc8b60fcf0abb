import type { Bitmap } from './bitmap.js';
import type { ValueTest } from './conditions.js';
import { type GeoArea, placeOf } from './geo.js';
import {
  type Cell,
  CODES,
  cellOf,
  codeOf,
  DEEPEST_LEVEL,
  firstCode,
  relationOf,
} from './geo-cells.js';
import type { Interval } from './interval.js';
import { RowCollector } from './row-collector.js';
import { SortedRows } from './sorted-rows.js';
import type { Found, ValueIndex } from './value-index.js';

/** Places at most that are looked at one by one instead of in smaller cells. */
const FEW = 32;

/** Places, by the cells of a quadtree: unsure are only those a few metres from an edge. */
export class GeoIndex implements ValueIndex<number> {
  readonly sorted = new SortedRows();

  /** The code of the place. */
  keyOf(value: unknown): number | undefined {
    const place = placeOf(value);
    return place && codeOf(place.lon, place.lat);
  }

  isKey(key: unknown): boolean {
    return Number.isInteger(key) && (key as number) >= 0 && (key as number) < CODES;
  }

  add(code: number, row: number): void {
    this.sorted.add(code, row);
  }

  remove(code: number, row: number): void {
    this.sorted.remove(code, row);
  }

  forget(rows: Bitmap): void {
    this.sorted.forget(rows);
  }

  find(test: ValueTest): Found | undefined {
    if (test.kind !== 'geo') return undefined;
    const [within, across] = [new RowCollector(), new RowCollector()];
    this.visit(test.area, { level: 0, x: 0, y: 0 }, within, across);
    const [rows, unsure] = [within.toBitmap(), across.toBitmap()];
    // A row with several places may have one within.
    unsure.andNotInPlace(rows);
    rows.orInPlace(unsure);
    if (!unsure.isEmpty) return { rows, unsure, othersToo: false };
    unsure.dispose();
    return { rows, unsure: 'none', othersToo: false };
  }

  private visit(area: GeoArea, cell: Cell, within: RowCollector, across: RowCollector): void {
    const first = firstCode(cell);
    const codes: Interval = {
      low: first,
      lowOpen: false,
      high: first + 4 ** (DEEPEST_LEVEL - cell.level),
      highOpen: true,
    };
    if (this.sorted.isFewerThan(1, codes)) return;
    const relation = relationOf(area, cell);
    if (relation === 'outside') return;
    if (relation === 'within' || cell.level === DEEPEST_LEVEL) {
      const to = relation === 'within' ? within : across;
      for (const rows of this.sorted.within(codes)) to.add(rows);
    } else if (this.sorted.isFewerThan(FEW, codes)) {
      for (const [code, row] of this.sorted.pairs(codes)) {
        const place = relationOf(area, cellOf(code));
        if (place !== 'outside') (place === 'within' ? within : across).add(Uint32Array.of(row));
      }
    } else {
      for (const x of [2 * cell.x, 2 * cell.x + 1]) {
        for (const y of [2 * cell.y, 2 * cell.y + 1]) {
          this.visit(area, { level: cell.level + 1, x, y }, within, across);
        }
      }
    }
  }

  get byteLength(): number {
    return this.sorted.byteLength;
  }

  dispose(): void {}
}
