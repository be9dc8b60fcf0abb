import { extname } from 'node:path';
import { corrupt } from './errors.js';
import { readLines } from './lines.js';
import { readNpy } from './npy.js';

/**
 * The class of each row as a number from 0 on, in the order in which classes come first: from a .npy
 * file of integers with one axis, or from one label a line, of any text.
 * Throws NOT_FOUND; CORRUPT for other files.
 */
export function readLabels(path: string): Uint32Array {
  const labels = extname(path) === '.npy' ? readIntegers(path) : lines(path);
  const classes = new Map<unknown, number>();
  const numbers: number[] = [];
  for (const label of labels) {
    const known = classes.get(label) ?? classes.size;
    classes.set(label, known);
    numbers.push(known);
  }
  return Uint32Array.from(numbers);
}

function readIntegers(path: string): Iterable<number | bigint> {
  const { shape, dtype, data } = readNpy(path);
  if (shape.length === 1 && !dtype.startsWith('f')) return data;
  const received = `${dtype} of shape (${shape})`;
  throw corrupt(path, { offset: 0 }, 'integers of one axis, a label a row', received);
}

function* lines(path: string): Generator<string> {
  for (const { text } of readLines(path)) yield text;
}
