import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBeir, readDocuments, readIds, readQrels, readQueries } from '../../datasets/beir.js';
import { errorOf, folderWith } from './support.js';

const CORPUS = '{"_id":"d1","title":"T","text":"é"}\n{"_id":"d2","text":"two","metadata":{}}\n';
const QUERIES = '{"_id":"q1","text":"one?"}\n';
const QRELS = 'query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td9\t-1\n';
const FILES = { 'corpus.jsonl': CORPUS, 'queries.jsonl': QUERIES, 'qrels/test.tsv': QRELS };

/** Reads one file of this content. */
function reading<T>(read: (path: string) => T, content: string | Uint8Array): () => T {
  const path = join(folderWith({ file: content }), 'file');
  return () => read(path);
}

describe('readBeir', () => {
  test('documents, queries and judgements', () => {
    expect(readBeir(folderWith(FILES))).toEqual({
      documents: [
        { id: 'd1', title: 'T', text: 'é' },
        { id: 'd2', title: '', text: 'two' },
      ],
      queries: [{ id: 'q1', text: 'one?' }],
      qrels: new Map([
        [
          'q1',
          new Map([
            ['d1', 2],
            ['d2', 0],
          ]),
        ],
        ['q2', new Map([['d9', -1]])],
      ]),
    });
  });

  test('another split', () => {
    const folder = folderWith({ ...FILES, 'qrels/dev.tsv': 'q1\td2\t1' });
    expect(readBeir(folder, { split: 'dev' }).qrels).toEqual(
      new Map([['q1', new Map([['d2', 1]])]]),
    );
    const error = errorOf(() => readBeir(folder, { split: 'none' }));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain(join('qrels', 'none.tsv'));
  });

  test('Windows line ends, a byte order mark and a missing last line end are no damage', () => {
    const windows = (text: string) => `\ufeff${text.trimEnd().replaceAll('\n', '\r\n')}`;
    const altered = Object.entries(FILES).map(([path, text]) => [path, windows(text)]);
    expect(readBeir(folderWith(Object.fromEntries(altered)))).toEqual(readBeir(folderWith(FILES)));
  });
});

describe('damaged texts', () => {
  test.each([
    ['not JSON', 'a JSON object'],
    ['[1]', 'a JSON object'],
    ['null', 'a JSON object'],
    ['{"text":"t"}', 'a string as "_id"'],
    ['{"_id":7,"text":"t"}', 'a string as "_id", received 7'],
    ['{"_id":"d9"}', 'a string as "text"'],
    ['{"_id":"d9","text":"t","title":null}', 'a string as "title"'],
    ['{"_id":"d1","text":"again"}', 'an id that no line above has'],
    ['', 'a line with text'],
  ])('line %j of documents', (line, word) => {
    const error = errorOf(reading(readDocuments, `${CORPUS}${line}\n${CORPUS}`));
    expect(error).toMatchObject({ code: 'CORRUPT', details: { line: 3 } });
    expect(error.message).toMatch(/file:3: expected /);
    expect(error.message).toContain(word);
  });

  test('bytes that are not UTF-8', () => {
    const bytes = Uint8Array.from([...Buffer.from(QUERIES), 0x22, 0xff, 0x22, 0x0a]);
    const error = errorOf(reading(readQueries, bytes));
    expect(error).toMatchObject({ code: 'CORRUPT', details: { line: 2 } });
  });

  test('a query without text', () => {
    expect(errorOf(reading(readQueries, '{"_id":"q"}')).message).toContain('"text"');
  });

  test('a corpus cut off anywhere but at the end of a line is refused', () => {
    const bytes = Buffer.from(CORPUS);
    for (let length = 1; length < bytes.length; length++) {
      const call = reading(readDocuments, bytes.subarray(0, length));
      const lineEnds = [bytes.indexOf('\n'), bytes.indexOf('\n') + 1, bytes.length - 1];
      if (lineEnds.includes(length)) expect(call().length).toBeGreaterThan(0);
      else expect(errorOf(call).code).toBe('CORRUPT');
    }
  });
});

describe('readQrels', () => {
  test.each([
    ['q1 0 d1 1', '3 columns separated by tabs, received 1'],
    ['q1\t0\td1\t1', '3 columns separated by tabs, received 4'],
    ['q1\td3\t1.5', 'a whole number as score'],
    ['q1\td3\t', 'a whole number as score'],
    [`q1\td3\t${'9'.repeat(400)}`, 'a whole number as score'],
    ['q1\td1\t1', 'score 2 again for q1 and d1, received 1'],
  ])('refuses line %j', (line, word) => {
    const error = errorOf(reading(readQrels, `${QRELS}${line}\n`));
    expect(error).toMatchObject({ code: 'CORRUPT', details: { line: 5 } });
    expect(error.message).toContain(word);
  });

  test('the header may be missing; an equal judgement may be repeated', () => {
    expect(reading(readQrels, 'q\td\t1\nq\td\t1\n')()).toEqual(
      new Map([['q', new Map([['d', 1]])]]),
    );
  });

  test('what is written is read', () => {
    const id = fc.stringMatching(/^[!-~]{1,8}$/);
    const judgements = fc.dictionary(id, fc.dictionary(id, fc.integer({ min: -2, max: 4 })));
    fc.assert(
      fc.property(judgements, (wanted) => {
        const lines = ['query-id\tcorpus-id\tscore'];
        const expected = new Map<string, Map<string, number>>();
        for (const [query, row] of Object.entries(wanted)) {
          for (const [document, score] of Object.entries(row)) {
            lines.push(`${query}\t${document}\t${score}`);
          }
          if (Object.keys(row).length > 0) expected.set(query, new Map(Object.entries(row)));
        }
        expect(reading(readQrels, lines.join('\n'))()).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe('readIds', () => {
  test('one a line, spaces kept', () => {
    const ids = ['a', 'Global warming:14', ' b '];
    expect(reading(readIds, `${ids.join('\n')}\n`)()).toEqual(ids);
    expect(reading(readIds, '')()).toEqual([]);
  });

  test('refuses a repeated id and an empty line', () => {
    expect(errorOf(reading(readIds, 'a\nb\na\n'))).toMatchObject({ details: { line: 3 } });
    expect(errorOf(reading(readIds, 'a\n\nb\n'))).toMatchObject({ details: { line: 2 } });
  });
});
