import { Fields } from '../graph/fields.js';

/** The fields of `Fde` in wasm/fde.ts, in its order. */
export const fdeFields = new Fields([
  'dimensions',
  'stride',
  'partitionBits',
  'repetitions',
  'directions',
  'groups',
  'outputs',
  'outputStride',
  'projection',
  'exponent',
  'fill',
  'total',
  'whole',
  'places',
]);

/** The fields of `FdeScratch` in wasm/fde.ts, in its order. */
export const fdeScratchFields = new Fields([
  'input',
  'products',
  'cells',
  'cellCapacity',
  'sums',
  'counts',
  'row',
  'whole',
]);
