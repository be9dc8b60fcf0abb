import type { Distance } from '../base/distance.js';
import type { Steps } from '../base/steps.js';
import { BestScores } from './best-scores.js';
import type { CollectionFile } from './collection-file.js';
import { checkedVector, readVector } from './point-rows.js';
import { STEP_ROWS, walkTable } from './table-walk.js';
import type { Scored } from './types.js';
import { decodeVector } from './vector-codec.js';

/**
 * The best k of a field's vectors by their exact scores; of all or only some rows.
 * @param rows ascending or not; those without a vector are passed over
 */
export function* scan(
  file: CollectionFile,
  field: number,
  query: Float32Array,
  distance: Distance,
  k: number,
  rows?: Uint32Array,
): Steps<Scored> {
  const score = scorer(distance, query);
  const best = new BestScores(distance, k);
  const vector = new Float32Array(file.fields[field]!.size);
  let gone = 0;
  if (rows === undefined) {
    const table = `vectors_${field}`;
    const select = `SELECT t.row, t.data, t.checksum FROM ${table} t`;
    const visit = ([row, data, checksum]: unknown[]) => {
      const bytes = checkedVector(file, field, row, data, checksum);
      decodeVector(file.fields[field]!, bytes, vector);
      best.add(row as number, score(vector));
    };
    for (const _ of walkTable(file, table, select, visit)) yield undefined;
  } else {
    for (const [i, row] of rows.entries()) {
      if (readVector(file, row, field, vector)) best.add(row, score(vector));
      else gone++;
      if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
    }
  }
  return { ...best.best(), gone };
}

/** The exact score of each row; NaN where it has no vector. */
export function* scores(
  file: CollectionFile,
  field: number,
  query: Float32Array,
  distance: Distance,
  rows: Uint32Array,
): Steps<Float64Array> {
  const score = scorer(distance, query);
  const vector = new Float32Array(file.fields[field]!.size);
  const found = new Float64Array(rows.length);
  for (const [i, row] of rows.entries()) {
    found[i] = readVector(file, row, field, vector) ? score(vector) : NaN;
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  return found;
}

/** Scores vectors against the query, with sums in float64. */
function scorer(distance: Distance, query: Float32Array): (vector: Float32Array) => number {
  if (distance === 'Dot') return (vector) => dot(query, vector);
  if (distance === 'Euclid') return (vector) => Math.sqrt(squaredDistance(query, vector));
  const length = Math.sqrt(dot(query, query));
  return (vector) => {
    const lengths = length * Math.sqrt(dot(vector, vector));
    // A vector of zeros has no direction: it is like nothing.
    return lengths === 0 ? 0 : dot(query, vector) / lengths;
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}
