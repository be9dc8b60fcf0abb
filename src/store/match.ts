import type { Steps } from '../base/steps.js';
import type { ParsedFilter } from '../filter/conditions.js';
import { matches } from '../filter/match.js';
import type { CollectionFile } from './collection-file.js';
import { idOfPoint, type PointRow, partOfField, payloadOf, pointOfRow } from './point-rows.js';
import type { Matched } from './types.js';

const STEP_ROWS = 64;

/** The rows whose points match the filter, in the order given, and how many are not there. */
export function* match(
  file: CollectionFile,
  filter: ParsedFilter,
  rows: Uint32Array,
): Steps<Matched> {
  const found: number[] = [];
  let gone = 0;
  for (const [i, row] of rows.entries()) {
    const point = pointOfRow(file, row);
    if (point === undefined) gone++;
    else if (matches(filter, asSeenByFilters(file, point))) found.push(row);
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  return { rows: Uint32Array.from(found), gone };
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
