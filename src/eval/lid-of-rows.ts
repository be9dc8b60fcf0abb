import type { Steps } from '../base/steps.js';
import { Kernels } from '../kernels/index.js';
import { multiplySteps } from '../linalg/row-blocks.js';
import {
  checkLidArguments,
  drawRows,
  LID_NEIGHBOURS,
  type LidOptions,
  lidOf,
  requireFinite,
} from './lid.js';

type RowOptions = Omit<LidOptions, 'sample'>;

/** Rows that all rows are compared with. */
const REFERENCE_ROWS = 2048;
/** Fewer neighbours would make the estimates too noisy. */
const NEIGHBOURS_LEAST = 20;
/** Rows whose products with the reference are at hand at a time. */
const BLOCK_ROWS = 512;
const ROWS_PER_STEP = 32;

/**
 * An estimate of the LID of every row (see lid.ts), n numbers, NaN where there is none: good for
 * ordering rows, not for stating the dimension of data. Up to 2,048 rows are compared with all
 * others, which is exact. Beyond that each is compared with a seeded sample of 2,048, as all pairs
 * would take O(n²), and k is reduced in the same proportion, but to no less than 20.
 *
 * Bias of the sampled estimates: so few neighbours overestimate by a factor of about k / (k − 2),
 * and where n is beyond 100 k the neighbourhoods are wider than those of k among all rows,
 * so that small structures are not seen. The means of uniform cubes, of a manifold and of 12,000
 * text embeddings come out 7 … 12 % above the exact ones. Rank correlation with the exact estimates:
 * above .9 on clusters of 1 … 32 dimensions, .7 on the text embeddings. A core does about 10^10
 * products a second: 100,000 x 768 take a quarter of a minute.
 *
 * @param vectors n x dimensions. For errors see `localIntrinsicDimensionality`.
 */
export function* lidOfRows(vectors: Float32Array, options: RowOptions): Steps<Float64Array> {
  const { dimensions, seed, k = LID_NEIGHBOURS } = options;
  const count = checkLidArguments(vectors, options);
  yield* requireFinite(vectors, dimensions);
  const lids = new Float64Array(count);
  if (count === 0) return lids;
  const rows = drawRows(count, REFERENCE_ROWS, seed);
  const neighbours = neighboursAmong(rows.length, count, k);
  const reference = makeReference(vectors, rows, options);
  const distancesOf = nearestFinder(reference, neighbours);
  const kernels = new Kernels();
  const products = new Float32Array(Math.min(BLOCK_ROWS, count) * rows.length);
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    const size = Math.min(BLOCK_ROWS, count - first);
    const a = vectors.slice(first * dimensions, (first + size) * dimensions);
    if (options.distance === 'Cosine') scaleToUnit(a, dimensions);
    subtract(a, reference.mean);
    const source = { a, m: size, n: dimensions, scale: 1 };
    yield* multiplySteps(kernels, source, reference.doubles, products);
    for (let i = 0; i < size; i++) {
      const mine = products.subarray(i * rows.length, (i + 1) * rows.length);
      const row = a.subarray(i * dimensions, (i + 1) * dimensions);
      lids[first + i] = lidOf(distancesOf(row, first + i, mine));
      if (i % ROWS_PER_STEP === 0) yield;
    }
  }
  return lids;
}

/** How many of `reference` rows make a neighbourhood like that of k among `count`. */
function neighboursAmong(reference: number, count: number, k: number): number {
  const scaled = Math.round((k * reference) / count);
  return Math.min(k, Math.max(NEIGHBOURS_LEAST, scaled), reference - 1);
}

/** The rows that all are compared with, around their mean, so that float32 products suffice. */
interface Reference {
  /** Their row numbers, ascending. */
  numbers: Uint32Array;
  mean: Float64Array;
  /** numbers.length x dimensions; of unit length under Cosine before the mean was taken off. */
  rows: Float32Array;
  /** The same in float64 for the kernels. */
  doubles: Float64Array;
  /** The squared length of each row. */
  squares: Float64Array;
}

function makeReference(
  vectors: Float32Array,
  numbers: Uint32Array,
  { dimensions, distance }: RowOptions,
): Reference {
  const rows = new Float32Array(numbers.length * dimensions);
  numbers.forEach((row, i) => {
    rows.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  if (distance === 'Cosine') scaleToUnit(rows, dimensions);
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < rows.length; i++) mean[i % dimensions]! += rows[i]! / numbers.length;
  subtract(rows, mean);
  const squares = new Float64Array(numbers.length);
  for (let i = 0; i < rows.length; i++) squares[Math.floor(i / dimensions)]! += rows[i]! ** 2;
  return { numbers, mean, rows, doubles: Float64Array.from(rows), squares };
}

/** Scales each row to length 1; zero rows stay. */
function scaleToUnit(rows: Float32Array, dimensions: number): void {
  for (let start = 0; start < rows.length; start += dimensions) {
    const row = rows.subarray(start, start + dimensions);
    let squared = 0;
    for (let i = 0; i < dimensions; i++) squared += row[i]! * row[i]!;
    const factor = squared > 0 ? 1 / Math.sqrt(squared) : 1;
    for (let i = 0; i < dimensions; i++) row[i]! *= factor;
  }
}

function subtract(rows: Float32Array, mean: Float64Array): void {
  for (let start = 0; start < rows.length; start += mean.length) {
    for (let i = 0; i < mean.length; i++) rows[start + i]! -= mean[i]!;
  }
}

/**
 * Gives a function for the distances of a row, number `self`, to its nearest in the reference but
 * itself, ascending, always in the same array. They are chosen by the products and then computed
 * anew by differences: products would leave rounding errors of 3e-4 of the length between equal
 * vectors.
 */
function nearestFinder({ numbers, squares, rows }: Reference, neighbours: number) {
  const last = neighbours - 1;
  const places = new Uint32Array(neighbours);
  // Squared distances less the row's own square, ascending.
  const keys = new Float64Array(neighbours);
  const distances = new Float64Array(neighbours);
  return (row: Float32Array, self: number, products: Float32Array): Float64Array => {
    keys.fill(Infinity);
    for (let place = 0; place < products.length; place++) {
      const key = squares[place]! - 2 * products[place]!;
      if (!(key < keys[last]!) || numbers[place] === self) continue;
      let at = last;
      for (; at > 0 && keys[at - 1]! > key; at--) {
        keys[at] = keys[at - 1]!;
        places[at] = places[at - 1]!;
      }
      keys[at] = key;
      places[at] = place;
    }
    for (let i = 0; i < neighbours; i++) {
      const from = places[i]! * row.length;
      let sum = 0;
      for (let j = 0; j < row.length; j++) sum += (row[j]! - rows[from + j]!) ** 2;
      distances[i] = Math.sqrt(sum);
    }
    return distances.sort();
  };
}
