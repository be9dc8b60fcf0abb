import { basename, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readBeir } from '../../datasets/beir.js';
import { encodeNpy, readNpy } from '../../datasets/npy.js';
import { loadEmbeddings, sharedFolder } from '../../datasets/shared.js';
import { errorOf, folderWith } from './support.js';

const CORPUS = encodeNpy([2, 3], Float32Array.of(1, 0, 0, 0, 1, 0));
const QUERIES = encodeNpy([1, 3], Float32Array.of(0, 0, 1));

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('loadEmbeddings', () => {
  test('vectors with ids and without', () => {
    const folder = folderWith({
      'corpus.npy': CORPUS,
      'queries.npy': QUERIES,
      'corpus.ids.txt': 'a\nb\n',
    });
    expect(loadEmbeddings(`${folder}/`)).toEqual({
      name: basename(folder),
      dimensions: 3,
      corpus: Float32Array.of(1, 0, 0, 0, 1, 0),
      queries: Float32Array.of(0, 0, 1),
      corpusIds: ['a', 'b'],
      queryIds: undefined,
    });
  });

  test('other file names', () => {
    const folder = folderWith({ 'image.npy': CORPUS, 'text.npy': QUERIES });
    const names = { corpusFile: 'image.npy', queriesFile: 'text.npy' };
    expect(loadEmbeddings(folder, names).corpus.length).toBe(6);
    expect(errorOf(() => loadEmbeddings(folder)).code).toBe('NOT_FOUND');
  });

  test('files that do not fit one another are refused', () => {
    const files = { 'corpus.npy': CORPUS, 'queries.npy': QUERIES };
    const other = { 'queries.npy': encodeNpy([1, 2], new Float32Array(2)) };
    const flat = { 'corpus.npy': encodeNpy([6], new Float32Array(6)) };
    for (const [altered, word] of [
      [other, 'has 2 dimensions, expected 3'],
      [flat, 'rows x dimensions'],
      [{ 'corpus.ids.txt': 'a\n' }, 'has 1 ids, expected 2'],
      [{ 'queries.ids.txt': 'a\nb\n' }, 'has 2 ids, expected 1'],
    ] as const) {
      const error = errorOf(() => loadEmbeddings(folderWith({ ...files, ...altered })));
      expect(error.code).toBe('CORRUPT');
      expect(error.message).toContain(word);
    }
  });

  test('folders with several rows a document are refused', () => {
    const offsets = encodeNpy([2], Uint32Array.of(0, 2));
    const folder = folderWith({ 'corpus.npy': CORPUS, 'corpus.offsets.npy': offsets });
    expect(errorOf(() => loadEmbeddings(folder)).code).toBe('UNSUPPORTED');
  });
});

describe('sharedFolder', () => {
  test('looks where LEANDEX_DATASETS says', () => {
    const folder = folderWith({ 'mine/corpus.npy': CORPUS, file: '' });
    vi.stubEnv('LEANDEX_DATASETS', folder);
    expect(sharedFolder('mine')).toBe(join(folder, 'mine'));
    expect(sharedFolder('no-such-set')).toBeUndefined();
    expect(sharedFolder('file')).toBeUndefined();
  });

  test('an empty LEANDEX_DATASETS is none', () => {
    vi.stubEnv('LEANDEX_DATASETS', '');
    expect(sharedFolder('no-such-set')).toBeUndefined();
  });
});

describe('real data in ../shared', () => {
  const scifact = sharedFolder('scifact-mpnet768');
  const texts = sharedFolder('scifact');
  const absent = scifact === undefined || texts === undefined;
  test.skipIf(absent)('scifact-mpnet768 fits its texts (skipped when it is absent)', () => {
    const set = loadEmbeddings(scifact!);
    const { documents, queries, qrels } = readBeir(texts!);
    expect([set.name, set.dimensions, set.corpus.length / 768]).toEqual([
      'scifact-mpnet768',
      768,
      5183,
    ]);
    expect(set.corpusIds).toEqual(documents.map(({ id }) => id));
    expect(set.queryIds).toEqual(queries.map(({ id }) => id));
    expect(qrels.size).toBe(300);
    expect(readBeir(texts!, { split: 'train' }).qrels.size).toBe(809);
  });

  const fashion = sharedFolder('clip-fashion1126');
  test.skipIf(fashion === undefined)(
    'clip-fashion1126, float32 (skipped when it is absent)',
    () => {
      const set = loadEmbeddings(fashion!, {
        corpusFile: 'image_embeddings.npy',
        queriesFile: 'text_embeddings.npy',
      });
      expect([set.dimensions, set.corpus.length, set.queries.length]).toEqual([
        512,
        1126 * 512,
        1126 * 512,
      ]);
    },
  );

  const cache = sharedFolder('kv-smollm2-1k');
  test.skipIf(cache === undefined)(
    'kv-smollm2-1k has three axes (skipped when it is absent)',
    () => {
      expect(readNpy(join(cache!, 'keys.npy')).shape).toEqual([30, 1024, 192]);
      expect(readNpy(join(cache!, 'tokens.npy')).dtype).toBe('i4');
    },
  );
});
