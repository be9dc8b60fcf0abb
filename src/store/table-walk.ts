import { type CollectionFile, damagedRow, statement } from './collection-file.js';

/** Some milliseconds of work at 768 dimensions. */
export const STEP_ROWS = 256;

/**
 * Visits all rows of a table in ascending order, and yields how many it has visited between steps.
 * @param select `SELECT t.row, ... FROM table t ...`
 */
export function* walkTable(
  file: CollectionFile,
  table: string,
  select: string,
  visit: (found: unknown[]) => void,
): Generator<number, number, void> {
  const sql = `${select} WHERE t.row > ? ORDER BY t.row LIMIT ${STEP_ROWS}`;
  let after = -1;
  let visited = 0;
  for (;;) {
    const found = statement(file, sql).all(after) as unknown[][];
    for (const one of found) {
      // A damaged table may have rows out of order, and would be walked for ever.
      if (typeof one[0] !== 'number' || one[0] <= after) throw damagedRow(file, table, one[0]);
      after = one[0];
      visit(one);
    }
    visited += found.length;
    if (found.length < STEP_ROWS) return visited;
    yield visited;
  }
}
