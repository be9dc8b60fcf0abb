import { join } from 'node:path';
import { type Qrels, readIds, readQrels } from './beir.js';
import { corrupt } from './errors.js';
import { readMatrix } from './matrix.js';
import { readNpy } from './npy.js';
import { sharedFolder } from './shared.js';

/** Texts of several vectors: rows offsets[i] … offsets[i + 1] − 1 belong to ids[i]. */
export type TokenTexts = {
  readonly ids: string[];
  readonly tokens: Float32Array;
  readonly offsets: Uint32Array;
};

export type TokenSet = {
  readonly dimensions: number;
  readonly corpus: TokenTexts;
  readonly queries: TokenTexts;
  readonly qrels: Qrels;
};

/**
 * climate-fever-tokens128 with the judgements of climate-fever-sents on its texts; undefined where
 * the folders are not there. Errors as for readTokenSet().
 */
export function loadTokenSet(): TokenSet | undefined {
  const folder = sharedFolder('climate-fever-tokens128');
  const texts = sharedFolder('climate-fever-sents');
  if (folder === undefined || texts === undefined) return undefined;
  return readTokenSet(folder, join(texts, 'qrels', 'test.tsv'));
}

/**
 * Texts of several vectors from a folder: `corpus.npy` and `queries.npy` have a row for each token,
 * `*.offsets.npy` where the rows of each text begin and, at last, how many there are, `*.ids.txt` an
 * id a line; judgements as in BEIR. Throws CORRUPT for files that do not fit one another.
 */
export function readTokenSet(
  folder: string,
  judgements = join(folder, 'qrels', 'test.tsv'),
): TokenSet {
  const corpus = readTexts(folder, 'corpus');
  const queries = readTexts(folder, 'queries');
  const known = new Set(corpus.ids);
  const all = readQrels(judgements);
  const qrels: Qrels = new Map();
  for (const id of queries.ids) {
    const judged = [...(all.get(id) ?? [])].filter(([document]) => known.has(document));
    qrels.set(id, new Map(judged));
  }
  return { dimensions: corpus.dimensions, corpus, queries, qrels };
}

function readTexts(folder: string, name: string): TokenTexts & { dimensions: number } {
  const ids = readIds(join(folder, `${name}.ids.txt`));
  const { data, count, dimensions } = readMatrix(join(folder, `${name}.npy`));
  const path = join(folder, `${name}.offsets.npy`);
  const offsets = Uint32Array.from(readNpy(path).data as ArrayLike<number>, Number);
  if (offsets.length !== ids.length + 1 || offsets[0] !== 0 || offsets.at(-1) !== count) {
    const expected = `${ids.length + 1} offsets from 0 to ${count}`;
    throw corrupt(path, { offset: 0 }, expected, `${offsets.length} to ${offsets.at(-1)}`);
  }
  return { ids, tokens: data, offsets, dimensions };
}
