import type { Steps } from '../base/steps.js';
import { matches } from '../filter/match.js';
import { parseFilter } from '../filter/parse.js';
import type { CollectionFile } from './collection-file.js';
import { idOfPoint, type PointRow, partOfField, payloadOf, pointOfRow } from './point-rows.js';

const STEP_ROWS = 64;

/** The rows whose points are there and match the filter, in the order given. */
export function* match(
  file: CollectionFile,
  filter: unknown,
  rows: Uint32Array,
): Steps<Uint32Array> {
  const parsed = parseFilter('filter', filter);
  const found: number[] = [];
  for (const [i, row] of rows.entries()) {
    const point = pointOfRow(file, row);
    if (point !== undefined && matches(parsed, asSeenByFilters(file, point))) found.push(row);
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  return Uint32Array.from(found);
}

function asSeenByFilters(file: CollectionFile, point: PointRow) {
  const json = payloadOf(file, point);
  return {
    id: idOfPoint(file, point),
    payload: json === null ? null : JSON.parse(json),
    hasVector: (name: string) => {
      const field = file.fields.findIndex((one) => one.name === name);
      return field >= 0 && (point.parts & partOfField(field)) !== 0;
    },
  };
}
