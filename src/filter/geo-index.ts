import type { Steps } from '../base/steps.js';
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
import { RowCollector } from './row-collector.js';
import { SortedRows } from './sorted-rows.js';
import type { Found, ValueIndex } from './value-index.js';

/** Places at most that are looked at one by one instead of in smaller cells. */
const FEW = 8;

/** The rows inside an area, and those that may be. */
type Sides = Record<'within' | 'across', RowCollector>;

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

  forget(rows: Bitmap): Steps<void> {
    return this.sorted.forget(rows.lookup());
  }

  find(test: ValueTest): Found | undefined {
    if (test.kind !== 'geo') return undefined;
    const sides = { within: new RowCollector(), across: new RowCollector() };
    const world = { level: 0, x: 0, y: 0 };
    this.visit(
      test.area,
      world,
      this.sorted.placeOf(0, false),
      this.sorted.placeOf(CODES, false),
      sides,
    );
    const [rows, unsure] = [sides.within.toBitmap(), sides.across.toBitmap()];
    // A row with several places may have one within.
    unsure.andNotInPlace(rows);
    rows.orInPlace(unsure);
    if (!unsure.isEmpty) return { rows, unsure, othersToo: false };
    unsure.dispose();
    return { rows, unsure: 'none', othersToo: false };
  }

  /** Looks at the pairs of a cell, which are those between two places. */
  private visit(area: GeoArea, cell: Cell, from: number, to: number, sides: Sides): void {
    const relation = relationOf(area, cell);
    if (relation === 'outside') return;
    if (relation === 'within' || cell.level === DEEPEST_LEVEL) {
      for (const { rows } of this.sorted.between(from, to)) {
        sides[relation].add(rows, this.sorted.lastRow);
      }
      return;
    }
    const inner = cell.level + 1;
    const step = 4 ** (DEEPEST_LEVEL - inner);
    let start = from;
    for (let i = 0; i < 4; i++) {
      const part = { level: inner, x: 2 * cell.x + (i & 1), y: 2 * cell.y + (i >> 1) };
      const end = i === 3 ? to : this.sorted.placeOf(firstCode(part) + step, false);
      if (end - start > FEW) this.visit(area, part, start, end, sides);
      else if (end > start) this.visitEach(area, start, end, sides);
      start = end;
    }
  }

  private visitEach(area: GeoArea, from: number, to: number, sides: Sides): void {
    for (const { values, rows } of this.sorted.between(from, to)) {
      for (let i = 0; i < rows.length; i++) {
        const relation = relationOf(area, cellOf(values[i]!));
        if (relation !== 'outside') sides[relation].add(rows.subarray(i, i + 1), rows[i]!);
      }
    }
  }

  get byteLength(): number {
    return this.sorted.byteLength;
  }

  dispose(): void {}
}
