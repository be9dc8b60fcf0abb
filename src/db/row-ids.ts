import type { PointId } from '../base/point-id.js';

const PAGE_ROWS = 4096;

/** Which point each row is, in pages so that memory follows the number of rows that live. */
export class RowIds {
  private readonly pages = new Map<number, { ids: (PointId | undefined)[]; count: number }>();

  set(row: number, id: PointId): void {
    const number = Math.floor(row / PAGE_ROWS);
    let page = this.pages.get(number);
    if (page === undefined) {
      page = { ids: [], count: 0 };
      this.pages.set(number, page);
    }
    const place = row % PAGE_ROWS;
    while (page.ids.length < place) page.ids.push(undefined);
    if (page.ids[place] === undefined) page.count++;
    page.ids[place] = id;
  }

  get(row: number): PointId | undefined {
    return this.pages.get(Math.floor(row / PAGE_ROWS))?.ids[row % PAGE_ROWS];
  }

  delete(row: number): void {
    const number = Math.floor(row / PAGE_ROWS);
    const page = this.pages.get(number);
    if (page?.ids[row % PAGE_ROWS] === undefined) return;
    page.ids[row % PAGE_ROWS] = undefined;
    if (--page.count === 0) this.pages.delete(number);
  }
}
