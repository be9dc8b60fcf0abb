import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Qrels, readQrels, readQueries } from '../datasets/beir.js';
import { bytesOf } from '../datasets/elements.js';
import {
  type Generated,
  generateClusters,
  generateManifold,
  generateSpectrum,
} from '../datasets/generate.js';
import { loadNpmSet, type NpmSet, npmSetAbsence } from '../datasets/npm-sets.js';
import { packageFolder } from '../datasets/package-folder.js';
import { type Embeddings, loadEmbeddings, sharedFolder } from '../datasets/shared.js';
import { readVectors } from '../datasets/vectors.js';
import { LeandexError, outOfRange } from '../src/base/errors.js';
import type { BenchCase, DataSource, JudgementSource } from './cases.js';

/** The vectors of a case, and what a result says of them. */
export interface BenchData {
  readonly corpus: Float32Array;
  readonly queries: Float32Array;
  readonly dimensions: number;
  /** SHA-256 of the corpus alone: an index does not depend on the queries. */
  readonly corpusHash: string;
  readonly info: DataInfo;
  /** What judges rankings, where the case asks for it. */
  readonly judgements?: Judgements;
}

/** Ids of the rows, and query id to document id to judgement. */
export interface Judgements {
  readonly corpusIds: readonly string[];
  readonly queryIds: readonly string[];
  readonly qrels: Qrels;
}

type Loaded = Generated &
  Partial<Pick<Embeddings, 'corpusIds' | 'queryIds'>> &
  Pick<NpmSet, 'classes'>;

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
  if (source.kind === 'npm') return npmSetAbsence(source.set);
  if (source.kind === 'generated' || folderOf(source) !== undefined) return undefined;
  if (source.kind === 'quickstart') {
    return 'the quick-start data ships with the repository, not with the npm package';
  }
  if (source.kind === 'files') return `there is no ${source.corpus}`;
  return (
    `the data set ${source.folder} is absent: it is looked for in $LEANDEX_DATASETS and in ` +
    'shared/datasets beside the checkout'
  );
}

/** @throws LeandexError `NOT_FOUND` when the data is absent, `CORRUPT` when it is damaged. */
export async function loadData(
  benchCase: Pick<BenchCase, 'data' | 'queries' | 'queriesMost' | 'judgements'>,
): Promise<BenchData> {
  const { data: source, judgements: from } = benchCase;
  const loaded = await load(source, benchCase.queries);
  const judged =
    from === undefined ? undefined : onlyJudged(loaded, loadJudgements(loaded, source, from));
  const { corpus, dimensions, queries: all } = judged ?? loaded;
  const available = all.length / dimensions;
  if (available < benchCase.queries && benchCase.queriesMost !== true) {
    const most = `at most ${available} for this data`;
    throw outOfRange('the number of queries', most, benchCase.queries);
  }
  const wanted = Math.min(available, benchCase.queries);
  const queries = all.subarray(0, wanted * dimensions);
  const hash = createHash('sha256').update(bytesOf(corpus));
  const corpusHash = hash.copy().digest('hex');
  return {
    corpus,
    queries,
    dimensions,
    corpusHash,
    ...(judged !== undefined && {
      judgements: { ...judged.judgements, queryIds: judged.judgements.queryIds.slice(0, wanted) },
    }),
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

async function load(source: DataSource, queries: number): Promise<Loaded> {
  if (source.kind === 'generated') return generate(source, queries);
  if (source.kind === 'npm') return loadNpmSet(source.set);
  if (source.kind === 'files') {
    return readVectors(source.corpus, { queriesPath: source.queriesFile, heldOut: queries });
  }
  const folder = folderOf(source);
  if (folder === undefined) throw new LeandexError('NOT_FOUND', absence(source)!);
  if (source.kind === 'shared' && source.files !== undefined) {
    return loadEmbeddings(folder, source.files);
  }
  return readVectors(folder, { heldOut: queries });
}

/**
 * The judgements of a case, whose texts may lie in a folder of their own, and the ids of its rows:
 * those that came with the vectors, else those of the texts, in whose order the rows then are.
 */
function loadJudgements(loaded: Loaded, source: DataSource, from: JudgementSource): Judgements {
  const { texts, split = 'test', classes } = from;
  if (classes === true) return judgementsByClass(loaded, nameOf(source));
  const folder = texts === undefined ? folderOf(source) : sharedFolder(texts);
  if (folder === undefined) {
    throw new LeandexError('NOT_FOUND', `no judgements: the data set ${texts} is absent`);
  }
  const idsOf = (name: string, rows: Float32Array) => {
    const path = join(folder, `${name}.jsonl`);
    const ids = readQueries(path).map(({ id }) => id);
    const count = rows.length / loaded.dimensions;
    if (ids.length === count) return ids;
    throw new LeandexError('CORRUPT', `${path} has ${ids.length} texts, expected ${count}`);
  };
  return {
    corpusIds: loaded.corpusIds ?? idsOf('corpus', loaded.corpus),
    queryIds: loaded.queryIds ?? idsOf('queries', loaded.queries),
    qrels: readQrels(join(folder, 'qrels', `${split}.tsv`)),
  };
}

/** Every row of a query's class is right. */
function judgementsByClass({ classes, corpusIds, queryIds }: Loaded, name: string): Judgements {
  if (classes === undefined || corpusIds === undefined || queryIds === undefined) {
    throw new LeandexError('NOT_FOUND', `no judgements: the rows of ${name} have no classes`);
  }
  const members = new Map<number, Map<string, number>>();
  for (const [row, id] of corpusIds.entries()) {
    const known = members.get(classes.corpus[row]);
    if (known === undefined) members.set(classes.corpus[row], new Map([[id, 1]]));
    else known.set(id, 1);
  }
  const of = (row: number) => members.get(classes.queries[row]) ?? new Map();
  return { corpusIds, queryIds, qrels: new Map(queryIds.map((id, row) => [id, of(row)])) };
}

/** The queries that have a positive judgement, with what judges their rankings. */
function onlyJudged(
  loaded: Loaded,
  { corpusIds, queryIds, qrels }: Judgements,
): Loaded & { judgements: Judgements } {
  const { corpus, dimensions } = loaded;
  const isJudged = (id: string) => [...(qrels.get(id)?.values() ?? [])].some((gain) => gain > 0);
  const rows = queryIds.flatMap((id, row) => (isJudged(id) ? [row] : []));
  const queries = new Float32Array(rows.length * dimensions);
  for (const [i, row] of rows.entries()) {
    const from = loaded.queries.subarray(row * dimensions, (row + 1) * dimensions);
    queries.set(from, i * dimensions);
  }
  const judgements = { corpusIds, queryIds: rows.map((row) => queryIds[row]), qrels };
  return { corpus, dimensions, queries, judgements };
}

function folderOf(source: DataSource): string | undefined {
  if (source.kind === 'generated' || source.kind === 'npm') return undefined;
  if (source.kind === 'shared') return sharedFolder(source.folder);
  if (source.kind === 'files') return existsSync(source.corpus) ? source.corpus : undefined;
  const folder = join(packageFolder(), 'datasets', 'quickstart');
  return existsSync(folder) ? folder : undefined;
}

function nameOf(source: DataSource): string {
  if (source.kind === 'quickstart') return 'quickstart';
  if (source.kind === 'files') return basename(source.corpus);
  if (source.kind === 'npm') return source.set;
  return source.kind === 'shared' ? source.folder : source.generator;
}
