import type { LeanIndexOptions, SearchOptions } from '../../src/index.js';
import { type DataSource, TEXT_LIKE } from '../cases.js';

/** Options of one index, and how it is searched. */
export interface Variant {
  readonly name: string;
  readonly options: Omit<LeanIndexOptions, 'dimensions' | 'distance'>;
  /** Whether the projections are trained for queries, others than those that measure. */
  readonly trained?: true;
  readonly search?: Pick<SearchOptions, 'rerank'>;
}

/** Variants of one data set that are measured in turn; the first one is what the others are compared with. */
export interface Group {
  readonly name: string;
  readonly data: DataSource;
  readonly efs: readonly number[];
  readonly variants: readonly Variant[];
}

const DEFAULT: Variant = { name: 'default', options: {} };
const WORDNET = { kind: 'shared', folder: 'wordnet-mpnet768' } as const;
const NESTED_DATA: readonly DataSource[] = [
  WORDNET,
  { kind: 'shared', folder: 'scifact-mpnet768' },
  { kind: 'shared', folder: 'climate-fever-minilm384' },
  {
    ...{ kind: 'generated', generator: 'spectrum', count: 40_000, dimensions: 768 },
    ...TEXT_LIKE,
  },
];
const EFS = [32, 48, 128];

const CODES: readonly Variant[] = [
  DEFAULT,
  ...[
    { primaryDimensions: 160 },
    { primaryDimensions: 120, primaryBits: 4 as const },
    { primaryDimensions: 240, primaryBits: 4 as const },
    { primaryDimensions: 496 },
    { primaryBits: 7 as const, primaryDimensions: 768 },
    { primaryBits: 32 as const },
    { primaryBits: 32 as const, secondaryBits: 32 as const },
    { secondaryBits: 32 as const },
    { secondaryBits: 4 as const },
  ].map((options) => ({ name: nameOf(options), options })),
  { name: 'trained with other queries', options: {}, trained: true },
];

const GRAPH: readonly Variant[] = [
  DEFAULT,
  ...[
    { efConstruction: 400 },
    { m: 12 },
    { m: 24 },
    { order: 'given' as const },
    { order: 'lid-asc' as const },
    { order: 'lid-desc' as const },
  ].map((options) => ({ name: nameOf(options), options })),
];

const NESTED: readonly Variant[] = [
  DEFAULT,
  { name: 'secondaryBits 4', options: { secondaryBits: 4 } },
  { name: 'preset compact', options: { preset: 'compact' } },
];

const reranks = (ef: number, depths: readonly number[]): Group => ({
  name: `rerank-${ef}`,
  data: WORDNET,
  efs: [ef],
  variants: [DEFAULT, ...depths.map((rerank) => ({ ...DEFAULT, ...reranking(rerank) }))],
});

export const GROUPS: readonly Group[] = [
  { name: 'codes', data: WORDNET, efs: EFS, variants: CODES },
  { name: 'graph', data: WORDNET, efs: EFS, variants: GRAPH },
  reranks(64, [28, 40, 64]),
  reranks(160, [50, 80, 100, 160]),
  ...NESTED_DATA.map((data) => ({
    name: `nested-${data.kind === 'shared' ? data.folder : data.kind}`,
    data,
    efs: [32, 64, 128, 320],
    variants: NESTED,
  })),
];

function reranking(rerank: number): Pick<Variant, 'name' | 'search'> {
  return { name: `rerank ${rerank}`, search: { rerank } };
}

function nameOf(options: object): string {
  return Object.entries(options)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
