import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWordVectors } from '../../../datasets/npm/glove.js';
import { errorOf, folderWith } from '../support.js';

/** As wink-embeddings writes them. */
function encode(words: readonly string[], vectors: readonly number[][], more = {}): string {
  const dimensions = vectors[0].length;
  const entries = words.map((word, i) => {
    return `${JSON.stringify(word)}:${JSON.stringify([...vectors[i], 1.5, i])}`;
  });
  const head = { precision: 8, size: words.length, dimensions, words, ...more };
  return `${JSON.stringify(head).slice(0, -1)},"vectors":{${entries.join()}},"unkVector":[0]}`;
}

function read(text: string) {
  return readWordVectors(join(folderWith({ 'set.json': text }), 'set.json'));
}

test('words of any characters, in the order of the file', () => {
  const word = fc.string({ unit: 'binary', maxLength: 6 });
  const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    ...{ minLength: 3, maxLength: 3 },
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(word, vector), { minLength: 1, maxLength: 8, selector: ([w]) => w }),
      (entries) => {
        const words = entries.map(([each]) => each).filter((each) => each !== '__proto__');
        fc.pre(words.length === entries.length);
        // -0 is 0 in JSON.
        const vectors = entries.map(([, each]) => each.map((x) => x + 0));
        const set = read(encode(words, vectors));
        expect(set.words).toEqual(words);
        expect(set).toMatchObject({ count: words.length, dimensions: 3 });
        expect([...set.data]).toEqual(vectors.flat());
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

describe('CORRUPT', () => {
  const sound = encode(['a', ']'], [[1, 2], [3, 4]]); // biome-ignore format: one line
  test.each([
    ['no vectors', '{"size":1}', /"vectors"/],
    ['no size', sound.replace('"size":2', '"size":"2"'), /a number as "size"/],
    ['fewer words', sound.replace('"size":2', '"size":3'), /expected 3 words/],
    ['more words', sound.replace('"size":2', '"size":1'), /expected 1 words/],
    ['a short vector', sound.replace('[1,2,', '[2,'), /a word with 2 numbers and two more/],
    ['no number', sound.replace('[1,2,', '[1,null,'), /a word with 2 numbers/],
    ['an end within', sound.slice(0, sound.indexOf('3,4')), /a word with 2 numbers/],
  ])('%s', (_, text, message) => {
    expect(errorOf(() => read(text))).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(message),
    });
  });

  test('a file that is not there is NOT_FOUND', () => {
    expect(errorOf(() => readWordVectors('/nowhere/set.json')).code).toBe('NOT_FOUND');
  });
});
