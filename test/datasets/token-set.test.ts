import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { encodeNpy } from '../../datasets/npy.js';
import { loadTokenSet } from '../../datasets/token-set.js';
import { errorOf, folderWith } from './support.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const TOKENS = {
  'corpus.npy': encodeNpy([3, 2], Float32Array.of(1, 0, 0, 1, 1, 1)),
  'corpus.offsets.npy': encodeNpy([3], BigInt64Array.of(0n, 2n, 3n)),
  'corpus.ids.txt': 'a\nb\n',
  'queries.npy': encodeNpy([1, 2], Float32Array.of(0.5, 0.5)),
  'queries.offsets.npy': encodeNpy([2], Uint32Array.of(0, 1)),
  'queries.ids.txt': 'q\n',
};
const QRELS = 'query-id\tcorpus-id\tscore\nq\ta\t1\nq\tz\t1\nr\tb\t1\n';

function setOf(files: Record<string, string | Uint8Array>) {
  const root = folderWith({
    ...Object.fromEntries(
      Object.entries({ ...TOKENS, ...files }).map(([name, content]) => [
        join('climate-fever-tokens128', name),
        content,
      ]),
    ),
    'climate-fever-sents/qrels/test.tsv': QRELS,
  });
  vi.stubEnv('LEANDEX_DATASETS', root);
  return loadTokenSet();
}

test('tokens, offsets, ids and the judgements of what is there', () => {
  expect(setOf({})).toEqual({
    dimensions: 2,
    corpus: {
      ids: ['a', 'b'],
      tokens: Float32Array.of(1, 0, 0, 1, 1, 1),
      offsets: Uint32Array.of(0, 2, 3),
      dimensions: 2,
    },
    queries: {
      ids: ['q'],
      tokens: Float32Array.of(0.5, 0.5),
      offsets: Uint32Array.of(0, 1),
      dimensions: 2,
    },
    qrels: new Map([['q', new Map([['a', 1]])]]),
  });
});

test.each([
  ['more offsets than ids', { 'corpus.ids.txt': 'a\nb\nc\n' }],
  ['offsets that end early', { 'corpus.offsets.npy': encodeNpy([3], Uint32Array.of(0, 1, 2)) }],
  ['offsets that begin late', { 'queries.offsets.npy': encodeNpy([2], Uint32Array.of(1, 1)) }],
])('%s are refused', (_, files) => {
  expect(errorOf(() => setOf(files)).code).toBe('CORRUPT');
});
