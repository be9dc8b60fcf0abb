import { type CollectionFile, damagedRow, statement } from './collection-file.js';

import type { StoredField } from './types.js';

/** Some milliseconds of work at 768 dimensions. */
const STEP_ROWS = 256;
/** A row of a multi field may have megabytes. */
const MULTI_STEP_ROWS = 8;

/** Rows of a field's table that are visited at once. */
export function stepRowsOf({ multi }: StoredField): number {
  return multi ? MULTI_STEP_ROWS : STEP_ROWS;
}

/**
 * Visits all rows of a table in ascending order, and yields how many it has visited between steps.
 * @param select `SELECT t.row, ... FROM table t ...`
 */
export function* walkTable(
  file: CollectionFile,
  table: string,
  select: string,
  visit: (found: unknown[]) => void,
  stepRows = STEP_ROWS,
): Generator<number, number, void> {
  const sql = `${select} WHERE t.row > ? ORDER BY t.row LIMIT ${stepRows}`;
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
    if (found.length < stepRows) return visited;
    yield visited;
  }
}
