import type { Distance } from '../base/distance.js';
import type { Steps } from '../base/steps.js';
import { BestScores } from './best-scores.js';
import type { CollectionFile } from './collection-file.js';
import { checkedVector, findVectorData } from './point-rows.js';
import { maxSimScorer, type Scorer, vectorScorer } from './scorers.js';
import { stepRowsOf, walkTable } from './table-walk.js';
import type { Scored, StoredField } from './types.js';
import { vectorDecoder } from './vector-codec.js';

/** Products of numbers between two looks at the time, and how many of them a row takes by itself. */
const STEP_PRODUCTS = 1 << 18;
const ROW_PRODUCTS = 256;

/**
 * The best k of a field's vectors by their exact scores; of all or only some rows. In a multi field
 * the query has several vectors too, one behind the other, and scores are MaxSim.
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
  const best = new BestScores(distance, k);
  if (rows !== undefined) {
    const add = (row: number, score: number) => best.add(row, score);
    const gone = yield* scoreRows(file, field, query, distance, rows, add);
    return { ...best.best(), gone };
  }
  const stored = file.fields[field]!;
  const score = scorerOf(stored, distance, query);
  const decode = vectorDecoder(stored);
  const table = `vectors_${field}`;
  const select = `SELECT t.row, t.data, t.checksum FROM ${table} t`;
  const visit = ([row, data, checksum]: unknown[]) => {
    best.add(row as number, score(decode(checkedVector(file, field, row, data, checksum))));
  };
  for (const _ of walkTable(file, table, select, visit, stepRowsOf(stored))) yield undefined;
  return { ...best.best(), gone: 0 };
}

/** The exact score of each row; NaN where it has no vector. */
export function* scores(
  file: CollectionFile,
  field: number,
  query: Float32Array,
  distance: Distance,
  rows: Uint32Array,
): Steps<Float64Array> {
  const found = new Float64Array(rows.length).fill(NaN);
  yield* scoreRows(file, field, query, distance, rows, (_, score, i) => {
    found[i] = score;
  });
  return found;
}

/** Scores rows; returns how many have no vector. */
function* scoreRows(
  file: CollectionFile,
  field: number,
  query: Float32Array,
  distance: Distance,
  rows: Uint32Array,
  take: (row: number, score: number, i: number) => void,
): Steps<number> {
  const stored = file.fields[field]!;
  const score = scorerOf(stored, distance, query);
  const decode = vectorDecoder(stored);
  const queryRows = query.length / stored.size;
  let gone = 0;
  let products = 0;
  for (const [i, row] of rows.entries()) {
    const data = findVectorData(file, row, field);
    products += ROW_PRODUCTS;
    if (data === undefined) {
      gone++;
    } else {
      const vectors = decode(data);
      take(row, score(vectors), i);
      products += vectors.length * queryRows;
    }
    if (products < STEP_PRODUCTS) continue;
    products = 0;
    yield undefined;
  }
  return gone;
}

function scorerOf({ size, multi }: StoredField, distance: Distance, query: Float32Array): Scorer {
  return multi ? maxSimScorer(distance, query, size) : vectorScorer(distance, query);
}
