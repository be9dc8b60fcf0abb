import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { type Document, type Qrels, type Query, readBeir } from './beir.js';
import { packageFolder } from './package-folder.js';
import { loadEmbeddings } from './shared.js';

/**
 * The set that the repository ships: real text embeddings with their texts. Row i of `corpus`
 * belongs to `documents[i]` and row i of `queries` to `queryTexts[i]`; queries whose id starts
 * with "demo-" are questions without judgements.
 */
export type QuickstartSet = {
  readonly name: string;
  readonly dimensions: number;
  /** Row after row, `documents.length * dimensions` numbers, unit length up to float16 rounding. */
  readonly corpus: Float32Array;
  /** Row after row, `queryTexts.length * dimensions` numbers. */
  readonly queries: Float32Array;
  readonly documents: Document[];
  readonly queryTexts: Query[];
  readonly qrels: Qrels;
};

/**
 * Loads the quick-start set: 12,000 documents and 512 queries of 384 dimensions.
 * Throws NOT_FOUND when the folder is absent, as it is in the npm package, and CORRUPT when a file
 * is damaged or the files do not fit one another.
 */
export function loadQuickstart(
  folder: string = join(packageFolder(), 'datasets', 'quickstart'),
): QuickstartSet {
  if (!existsSync(folder)) {
    throw new LeandexError(
      'NOT_FOUND',
      `no quick-start data in ${folder}: it ships with the repository, not with the npm package`,
      { details: { folder } },
    );
  }
  const vectors = loadEmbeddings(folder);
  const texts = readBeir(folder);
  const { name, dimensions, corpus, queries } = vectors;
  requireRows(folder, 'corpus', texts.documents.length, corpus.length / dimensions);
  requireRows(folder, 'queries', texts.queries.length, queries.length / dimensions);
  const { documents, qrels } = texts;
  return { name, dimensions, corpus, queries, documents, queryTexts: texts.queries, qrels };
}

function requireRows(folder: string, file: string, lines: number, rows: number): void {
  if (lines === rows) return;
  throw new LeandexError(
    'CORRUPT',
    `${join(folder, file)}.npy has ${rows} rows, expected ${lines}, the lines of ${file}.jsonl`,
    { details: { folder, file, rows, lines } },
  );
}
