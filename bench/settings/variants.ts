import type { LeanIndexOptions, SearchOptions } from '../../src/index.js';
import { type DataSource, TEXT_LIKE } from '../cases.js';

type Options = Omit<LeanIndexOptions, 'dimensions' | 'queries'>;

/** One setting that differs from the default's. */
export interface Variant {
  /** As the tables tell it. */
  readonly name: string;
  readonly options: Options;
  readonly search?: Pick<SearchOptions, 'rerank'>;
  /** Beam widths, where they are not those of all. */
  readonly efs?: readonly number[];
  /** Whether queries that are not asked train the projection. */
  readonly trained?: true;
}

/** A group of variants on a data set; the first is what the others are compared with. */
export interface SettingGroup {
  readonly group: string;
  readonly data: DataSource;
  /** The first are asked, the others train. */
  readonly queries: { readonly asked: number; readonly training: number };
  readonly variants: readonly Variant[];
}

export const EFS = [32, 48, 64, 128, 320];

const DEFAULT: Variant = { name: 'default', options: {} };
const LVQ4: Variant = { name: '`secondaryBits: 4`', options: { secondaryBits: 4 } };
const COMPACT: Variant = { name: "`preset: 'compact'`", options: { preset: 'compact' } };

const WORDNET: DataSource = { kind: 'shared', folder: 'wordnet-mpnet768' };

const codes = (primaryDimensions: number, primaryBits: 2 | 4 | 7): Variant => ({
  name: `\`primaryDimensions: ${primaryDimensions}, primaryBits: ${primaryBits}\``,
  options: { primaryDimensions, primaryBits },
});

const reranked = (ef: number, rerank: number): Variant => ({
  ...{ name: `\`rerank: ${rerank}\``, options: {}, search: { rerank }, efs: [ef] },
});

const CODES: readonly Variant[] = [
  DEFAULT,
  codes(160, 2),
  codes(120, 4),
  codes(240, 4),
  codes(496, 2),
  codes(768, 7),
  { name: '`primaryBits: 32`', options: { primaryBits: 32 } },
  { name: '`secondaryBits: 32`', options: { secondaryBits: 32 } },
  {
    name: '`primaryBits: 32, secondaryBits: 32`',
    options: { primaryBits: 32, secondaryBits: 32 },
  },
  LVQ4,
  { name: '`queries`: 1,500 others', options: {}, trained: true },
];

const GRAPH: readonly Variant[] = [
  DEFAULT,
  { name: '`seed: 2`', options: { seed: 2 } },
  { name: '`m: 12`', options: { m: 12 } },
  { name: '`m: 24`', options: { m: 24 } },
  { name: '`efConstruction: 100`', options: { efConstruction: 100 } },
  { name: '`efConstruction: 400`', options: { efConstruction: 400 } },
  ...(['given', 'lid-asc', 'lid-desc'] as const).map((order) => ({
    name: `\`order: '${order}'\``,
    options: { order },
  })),
];

/** The default's depth at these widths is 42 and 100. */
const RERANK: readonly Variant[] = [
  { ...DEFAULT, efs: [64, 160] },
  ...[28, 40, 64].map((depth) => reranked(64, depth)),
  ...[50, 80, 160].map((depth) => reranked(160, depth)),
];

const ASKED = 500;
const secondaries = (data: DataSource): SettingGroup => ({
  ...{ group: 'secondary', data, queries: { asked: ASKED, training: 0 } },
  variants: [DEFAULT, LVQ4, COMPACT],
});

export const GROUPS: readonly SettingGroup[] = [
  { group: 'codes', data: WORDNET, queries: { asked: ASKED, training: 1500 }, variants: CODES },
  { group: 'graph', data: WORDNET, queries: { asked: ASKED, training: 0 }, variants: GRAPH },
  { group: 'rerank', data: WORDNET, queries: { asked: ASKED, training: 0 }, variants: RERANK },
  secondaries(WORDNET),
  secondaries({ kind: 'shared', folder: 'scifact-mpnet768' }),
  secondaries({ kind: 'shared', folder: 'climate-fever-minilm384' }),
  // A steeper spectrum.
  secondaries({
    ...{ kind: 'generated', generator: 'spectrum', count: 40_000, dimensions: 768 },
    ...{ ...TEXT_LIKE, decay: 1.5 },
  }),
];
