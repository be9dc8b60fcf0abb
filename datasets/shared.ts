import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { readIds } from './beir.js';
import type { Rows } from './elements.js';
import { readMatrix } from './matrix.js';
import { packageFolder } from './package-folder.js';

export type Embeddings = {
  /** The folder's own name. */
  readonly name: string;
  readonly dimensions: number;
  /** Row after row, a multiple of `dimensions` numbers. */
  readonly corpus: Float32Array;
  readonly queries: Float32Array;
  /** The id of each row, where the folder has corpus.ids.txt or queries.ids.txt. */
  readonly corpusIds?: string[];
  readonly queryIds?: string[];
};

/**
 * The folder of a data set that does not ship with the repository: `$LEANDEX_DATASETS/<name>`, what
 * was downloaded, or `shared/datasets/<name>` beside the checkout; undefined when it is in none.
 */
export function sharedFolder(name: string): string | undefined {
  const roots = [downloadsFolder(), join(packageFolder(), '..', 'shared', 'datasets')];
  const configured = process.env.LEANDEX_DATASETS;
  if (configured !== undefined && configured !== '') roots.unshift(configured);
  return roots.map((root) => join(root, name)).find(isFolder);
}

/** Where downloads go unless told otherwise. */
export function downloadsFolder(): string {
  return join(packageFolder(), 'datasets', 'downloads');
}

/** Names of the files of a folder, where they are not the usual ones. */
export interface EmbeddingFiles {
  readonly corpusFile?: string;
  readonly queriesFile?: string;
}

/**
 * Loads corpus.npy and queries.npy of a folder as float32, with their ids if it has them.
 * Other file names can be given for folders that call them otherwise (text and image vectors).
 * Throws NOT_FOUND, CORRUPT when a file is damaged or the files do not fit one another, and
 * UNSUPPORTED for token-level folders, whose rows are not one a document.
 */
export function loadEmbeddings(folder: string, files: EmbeddingFiles = {}): Embeddings {
  const paths = embeddingPaths(folder, files);
  return embeddingsOf(folder, paths, readMatrix(paths.corpus), readMatrix(paths.queries));
}

type Paths = { readonly corpus: string; readonly queries: string };

/** Throws UNSUPPORTED for folders without one vector a text. */
export function embeddingPaths(
  folder: string,
  { corpusFile = 'corpus.npy', queriesFile = 'queries.npy' }: EmbeddingFiles = {},
): Paths {
  const refuse = (what: string) =>
    new LeandexError('UNSUPPORTED', `${folder} holds ${what}`, { details: { folder } });
  if (existsSync(join(folder, 'corpus.offsets.npy'))) {
    throw refuse('several rows for each document');
  }
  const corpus = join(folder, corpusFile);
  if (!existsSync(corpus) && existsSync(join(folder, 'corpus.jsonl'))) {
    throw refuse(`texts (corpus.jsonl) and no vectors of them (${corpusFile})`);
  }
  return { corpus, queries: join(folder, queriesFile) };
}

/** Rows of both files with their ids. Throws CORRUPT where they do not fit one another. */
export function embeddingsOf(
  folder: string,
  paths: Paths,
  corpus: Rows<Float32Array>,
  queries: Rows<Float32Array>,
): Embeddings {
  if (queries.dimensions !== corpus.dimensions) {
    throw new LeandexError(
      'CORRUPT',
      `${paths.queries} has ${queries.dimensions} dimensions, expected ` +
        `${corpus.dimensions} as ${basename(paths.corpus)} has`,
      { details: { folder, expected: corpus.dimensions, received: queries.dimensions } },
    );
  }
  return {
    name: basename(resolve(folder)),
    dimensions: corpus.dimensions,
    corpus: corpus.data,
    queries: queries.data,
    corpusIds: idsFor(join(folder, 'corpus.ids.txt'), corpus.count),
    queryIds: idsFor(join(folder, 'queries.ids.txt'), queries.count),
  };
}

function idsFor(path: string, rows: number): string[] | undefined {
  if (!existsSync(path)) return undefined;
  const ids = readIds(path);
  if (ids.length === rows) return ids;
  throw new LeandexError('CORRUPT', `${path} has ${ids.length} ids, expected ${rows}`, {
    details: { file: path, expected: rows, received: ids.length },
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
