import type { ClusterOptions, ManifoldOptions, SpectrumOptions } from '../datasets/generate.js';
import type { Distance } from '../src/base/distance.js';
import type { LeanIndexOptions } from '../src/graph/options.js';

/** A generator's own options; how many queries is the case's business. */
type Without<T> = Omit<T, 'queries'>;

/** Where the vectors of a case come from. */
export type DataSource =
  | { readonly kind: 'quickstart' }
  | { readonly kind: 'shared'; readonly folder: string }
  | ({ readonly kind: 'generated'; readonly generator: 'spectrum' } & Without<SpectrumOptions>)
  | ({ readonly kind: 'generated'; readonly generator: 'clusters' } & Without<ClusterOptions>)
  | ({ readonly kind: 'generated'; readonly generator: 'manifold' } & Without<ManifoldOptions>);

export interface HnswlibSettings {
  readonly m: number;
  readonly efConstruction: number;
}

interface Sweep {
  /** Beam widths, ascending. They begin at k, the fastest setting that any HNSW has. */
  readonly efs: readonly number[];
}

/** An engine with the settings that shape its index. */
export type Contender = Sweep &
  (
    | {
        readonly engine: 'leandex';
        readonly settings: Omit<LeanIndexOptions, 'dimensions' | 'distance'>;
      }
    | { readonly engine: 'hnswlib-node'; readonly settings: HnswlibSettings }
  );

export type EngineName = Contender['engine'];

export interface BenchCase {
  readonly name: string;
  readonly data: DataSource;
  readonly distance: Distance;
  /** How many queries are used, from the first on. */
  readonly queries: number;
  /** Neighbours asked for: recall@10 is what all comparisons are about. */
  readonly k: 10;
  readonly contenders: readonly Contender[];
  /** How often the sweep is measured; the medians count. */
  readonly repeats: number;
  /** Each measurement goes on for at least this long. */
  readonly measureMs: number;
}

const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448];

const leandex: Contender = { engine: 'leandex', settings: {}, efs: EFS };

function hnswlib(m: number): Contender {
  return { engine: 'hnswlib-node', settings: { m, efConstruction: 200 }, efs: EFS };
}

/**
 * The cases of `leandex bench`.
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
    name: 'quick',
    data: { kind: 'quickstart' },
    distance: 'Cosine',
    queries: 512,
    k: 10,
    contenders: [leandex, hnswlib(16)],
    repeats: 3,
    measureMs: 100,
  },
  {
    name: 'wordnet-mpnet768',
    data: { kind: 'shared', folder: 'wordnet-mpnet768' },
    distance: 'Cosine',
    queries: 500,
    k: 10,
    contenders: [leandex, hnswlib(16), hnswlib(24), hnswlib(32)],
    repeats: 5,
    measureMs: 300,
  },
  {
    name: 'generated-100k-768',
    data: {
      kind: 'generated',
      generator: 'spectrum',
      count: 100_000,
      dimensions: 768,
      seed: 1,
      decay: 1.15,
      meanNorm: 0.3,
      normalise: true,
    },
    distance: 'Cosine',
    queries: 500,
    k: 10,
    contenders: [leandex, hnswlib(16)],
    repeats: 5,
    measureMs: 300,
  },
];
