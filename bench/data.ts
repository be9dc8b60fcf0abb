import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf } from '../datasets/elements.js';
import {
  type Generated,
  generateClusters,
  generateManifold,
  generateSpectrum,
} from '../datasets/generate.js';
import { packageFolder } from '../datasets/package-folder.js';
import { loadEmbeddings, sharedFolder } from '../datasets/shared.js';
import { LeandexError, outOfRange } from '../src/base/errors.js';
import type { BenchCase, DataSource } from './cases.js';

/** The vectors of a case, and what a result says of them. */
export interface BenchData {
  readonly corpus: Float32Array;
  readonly queries: Float32Array;
  readonly dimensions: number;
  /** SHA-256 of the corpus alone: an index does not depend on the queries. */
  readonly corpusHash: string;
  readonly info: DataInfo;
}

export interface DataInfo {
  readonly name: string;
  readonly count: number;
  readonly dimensions: number;
  readonly queries: number;
  /** SHA-256 of the float32 numbers of corpus and queries, row after row. */
  readonly sha256: string;
  /** The case's own description of the data: the generator with its seed, or the folder. */
  readonly source: DataSource;
}

/** Why the data of a case cannot be had here; undefined when it can. */
export function absence(source: DataSource): string | undefined {
  if (source.kind === 'generated' || folderOf(source) !== undefined) return undefined;
  if (source.kind === 'quickstart') {
    return 'the quick-start data ships with the repository, not with the npm package';
  }
  return (
    `the data set ${source.folder} is absent: it is looked for in $LEANDEX_DATASETS and in ` +
    'shared/datasets beside the checkout'
  );
}

/** @throws LeandexError `NOT_FOUND` when the data is absent, `CORRUPT` when it is damaged. */
export function loadData({ data: source, queries: wanted }: BenchCase): BenchData {
  const loaded = source.kind === 'generated' ? generate(source, wanted) : load(source);
  const { corpus, dimensions } = loaded;
  const available = loaded.queries.length / dimensions;
  if (available < wanted) {
    throw outOfRange('the number of queries', `at most ${available} for this data`, wanted);
  }
  const queries = loaded.queries.subarray(0, wanted * dimensions);
  const hash = createHash('sha256').update(bytesOf(corpus));
  const corpusHash = hash.copy().digest('hex');
  return {
    corpus,
    queries,
    dimensions,
    corpusHash,
    info: {
      name: nameOf(source),
      count: corpus.length / dimensions,
      dimensions,
      queries: wanted,
      sha256: hash.update(bytesOf(queries)).digest('hex'),
      source,
    },
  };
}

function generate(source: DataSource & { kind: 'generated' }, queries: number): Generated {
  switch (source.generator) {
    case 'spectrum':
      return generateSpectrum({ ...source, queries });
    case 'clusters':
      return generateClusters({ ...source, queries });
    case 'manifold':
      return generateManifold({ ...source, queries });
  }
}

function load(source: Exclude<DataSource, { kind: 'generated' }>): Generated {
  const folder = folderOf(source);
  if (folder === undefined) throw new LeandexError('NOT_FOUND', absence(source)!);
  return loadEmbeddings(folder, source.kind === 'shared' ? source.files : undefined);
}

function folderOf(source: Exclude<DataSource, { kind: 'generated' }>): string | undefined {
  if (source.kind === 'shared') return sharedFolder(source.folder);
  const folder = join(packageFolder(), 'datasets', 'quickstart');
  return existsSync(folder) ? folder : undefined;
}

function nameOf(source: DataSource): string {
  if (source.kind === 'quickstart') return 'quickstart';
  return source.kind === 'shared' ? source.folder : source.generator;
}
