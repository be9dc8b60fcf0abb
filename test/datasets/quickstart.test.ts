import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeNpy } from '../../datasets/npy.js';
import { loadQuickstart } from '../../datasets/quickstart.js';
import { errorOf, folderWith } from './support.js';

/** The lengths of all rows, as the smallest and the largest. */
function lengths(rows: Float32Array, dimensions: number): [number, number] {
  let min = Infinity;
  let max = 0;
  for (let start = 0; start < rows.length; start += dimensions) {
    const length = Math.hypot(...rows.subarray(start, start + dimensions));
    min = Math.min(min, length);
    max = Math.max(max, length);
  }
  return [min, max];
}

describe('loadQuickstart', () => {
  test('12,000 documents and 512 queries of unit length, with their texts', () => {
    const set = loadQuickstart();
    expect([set.name, set.dimensions]).toEqual(['quickstart', 384]);
    expect([set.documents.length, set.corpus.length]).toEqual([12_000, 12_000 * 384]);
    expect([set.queryTexts.length, set.queries.length]).toEqual([512, 512 * 384]);
    for (const rows of [set.corpus, set.queries]) {
      const [min, max] = lengths(rows, 384);
      expect(min).toBeGreaterThan(0.999);
      expect(max).toBeLessThan(1.001);
    }
    expect(set.documents[0]).toEqual({
      id: 'n04287844',
      title: 'spirograph',
      text: 'a measuring instrument for recording the depth and rapidity of breathing movements',
    });
  });

  test('500 queries are judged, the 12 demo questions are not', () => {
    const { queryTexts, qrels, documents } = loadQuickstart();
    const demos = queryTexts.filter(({ id }) => id.startsWith('demo-'));
    expect(demos.length).toBe(12);
    expect(qrels.size).toBe(500);
    const queryIds = new Set(queryTexts.map(({ id }) => id));
    const documentIds = new Set(documents.map(({ id }) => id));
    for (const [query, judgements] of qrels) {
      expect(queryIds.has(query) && !query.startsWith('demo-')).toBe(true);
      expect([...judgements.values()]).toEqual([1]);
      expect(documentIds.has([...judgements.keys()][0])).toBe(true);
    }
  });

  test('an absent folder says why', () => {
    const folder = join(folderWith({}), 'quickstart');
    const error = errorOf(() => loadQuickstart(folder));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain('ships with the repository, not with the npm package');
  });

  test('vectors that do not fit the texts are refused', () => {
    const folder = folderWith({
      'corpus.npy': encodeNpy([2, 1], Float32Array.of(1, 1)),
      'queries.npy': encodeNpy([1, 1], Float32Array.of(1)),
      'corpus.jsonl': '{"_id":"d","text":"t"}\n',
      'queries.jsonl': '{"_id":"q","text":"t"}\n',
      'qrels/test.tsv': 'q\td\t1\n',
    });
    const error = errorOf(() => loadQuickstart(folder));
    expect(error.code).toBe('CORRUPT');
    expect(error.message).toContain('corpus.npy has 2 rows, expected 1, the lines of corpus.jsonl');
  });
});
