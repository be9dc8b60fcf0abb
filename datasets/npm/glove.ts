import type { Rows } from '../elements.js';
import { corrupt } from '../errors.js';
import { readBytes } from '../file.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const VECTORS = '"vectors":{';

export type WordVectors = Rows<Float32Array> & { readonly words: string[] };

/**
 * The words and their vectors of wink-embeddings: one JSON object whose `vectors` has, for each word,
 * an array of `dimensions` numbers and two more, its length and its number. Word by word, because 300
 * MB of JSON parsed at once take gigabytes.
 * Throws NOT_FOUND, and CORRUPT with the byte for what is not of this form.
 */
export function readWordVectors(path: string): WordVectors {
  const bytes = Buffer.from(readBytes(path).buffer);
  const begin = bytes.indexOf(VECTORS);
  if (begin < 0) throw corrupt(path, { offset: 0 }, `a JSON object with ${VECTORS}`, 'none');
  // What comes before says how many there are; its list of words is not needed.
  const head = bytes.toString('latin1', 0, Math.min(begin, 1000));
  const [count, dimensions] = ['size', 'dimensions'].map((name) => {
    const found = new RegExp(`"${name}":([1-9][0-9]{0,6})\\b`).exec(head);
    if (found === null) throw corrupt(path, { offset: 0 }, `a number as "${name}"`, 'none');
    return Number(found[1]);
  });
  const data = new Float32Array(count * dimensions);
  const words: string[] = [];
  let at = begin + VECTORS.length;
  for (let row = 0; row < count; row++) {
    const end = bytes.indexOf(']', endOfString(bytes, at)) + 1;
    const [word, numbers] = parseEntry(path, at, bytes.toString('utf8', at, end), dimensions);
    words.push(word);
    data.set(numbers, row * dimensions);
    const isLast = row === count - 1;
    if ((bytes[end] === COMMA) === isLast) {
      throw corrupt(path, { offset: end }, `${count} words`, isLast ? 'more' : `${row + 1}`);
    }
    at = end + 1;
  }
  return { count, dimensions, data, words };
}

/** Where the string that begins at `at` is over, as its word may have any characters. */
function endOfString(bytes: Buffer, at: number): number {
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return end;
}

function parseEntry(
  path: string,
  offset: number,
  text: string,
  dimensions: number,
): [string, number[]] {
  const expected = `a word with ${dimensions} numbers and two more`;
  let entries: [string, unknown][];
  try {
    entries = Object.entries(JSON.parse(`{${text}}`));
  } catch {
    throw corrupt(path, { offset }, expected, JSON.stringify(text.slice(0, 60)));
  }
  const [word, value] = entries[0] ?? [];
  const isSound =
    Array.isArray(value) && value.length === dimensions + 2 && value.every(Number.isFinite);
  if (word === undefined || !isSound) {
    throw corrupt(path, { offset }, expected, JSON.stringify(text.slice(0, 60)));
  }
  return [word, value.slice(0, dimensions)];
}
