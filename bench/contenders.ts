import type { EngineModule, Settings } from './engine.js';
import { type EdgevecSettings, edgevec } from './engines/edgevec.js';
import { hnswlib } from './engines/hnswlib-node.js';
import { leandex } from './engines/leandex.js';
import { type UsearchSettings, usearch } from './engines/usearch.js';
import { type ZvecSearch, type ZvecSettings, zvec } from './engines/zvec.js';

/** An engine with the settings that shape its index and its searches; data, as JSON can hold it. */
export interface Contender {
  /** The name of its EngineModule. */
  readonly engine: string;
  /** What tables and plots call it; no two of a case have the same. */
  readonly name: string;
  readonly settings: Settings;
  /** Goes with every search. Contenders that differ in nothing else share a cached index. */
  readonly search: Settings;
  /** Beam widths, ascending. They begin at k, the fastest setting that any HNSW has. */
  readonly efs: readonly number[];
}

export const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448];

/** For large data, where the sweep of a slow engine would take hours. */
export const FEW_EFS = [10, 20, 40, 80, 160, 320, 640];

const EF_CONSTRUCTION = 200;

/** A contender with the settings that its engine knows. */
export function contender<IndexSettings extends Settings, SearchSettings extends Settings>(
  { name: engine }: EngineModule<IndexSettings, SearchSettings>,
  name: string,
  settings: IndexSettings,
  search?: SearchSettings,
): Contender {
  return { engine, name, settings, search: search ?? {}, efs: EFS };
}

export function withEfs(contenders: readonly Contender[], efs: readonly number[]): Contender[] {
  return contenders.map((each) => ({ ...each, efs }));
}

export const LEANDEX = contender(leandex, 'leandex', {});

/**
 * What the default is judged by in the same graph: half the memory, float32 and 8-bit scalar codes
 * in the traversal. A version of leandex that does not know a setting skips the contender.
 */
export const LEANDEX_COLUMNS: readonly Contender[] = [
  LEANDEX,
  contender(leandex, 'leandex compact', { preset: 'compact' }),
  contender(leandex, 'leandex float32', { primaryBits: 32 }),
  contender(leandex, 'leandex 7 bits', { primaryBits: 7 }),
];

export function hnswlibWith(m: number): Contender {
  return contender(hnswlib, `hnswlib M${m}`, { m, efConstruction: EF_CONSTRUCTION });
}

export function usearchWith(scalar: UsearchSettings['scalar'], m: number): Contender {
  return contender(usearch, `usearch ${scalar} M${m}`, {
    scalar,
    m,
    efConstruction: EF_CONSTRUCTION,
  });
}

/** int8 always with rotation, which finds more; see ZvecSearch for `refine`. */
export function zvecWith(
  codes: ZvecSettings['codes'],
  m: number,
  { refine = false }: ZvecSearch = {},
): Contender {
  const settings = { codes, m, efConstruction: EF_CONSTRUCTION };
  const name = `zvec ${codes}${refine ? ' refined' : ''} M${m}`;
  const rotated = codes === 'int8' ? { ...settings, rotate: true } : settings;
  return contender(zvec, name, rotated, { refine });
}

/**
 * As zvecWith(), in the form that survives changes: in version 0.7.0 `optimize` spoils a graph in
 * contiguous memory, and codes of rotated vectors.
 */
export function plainZvecWith(
  codes: 'float32' | 'int8',
  m: number,
  { refine = false }: ZvecSearch = {},
): Contender {
  const settings = { codes, m, efConstruction: EF_CONSTRUCTION, contiguous: false };
  const name = `zvec ${codes}${refine ? ' refined' : ''} plain M${m}`;
  return contender(zvec, name, settings, { refine });
}

/** Few beam widths, because each means a build. */
export function edgevecWith(m: number): Contender {
  const settings: EdgevecSettings = { m, efConstruction: EF_CONSTRUCTION };
  return { ...contender(edgevec, `edgevec M${m}`, settings), efs: [10, 40, 160] };
}

/** The native engines at one M: every kind of code, with and without a re-rank by float32. */
export function nativesWith(m: number): Contender[] {
  return [
    hnswlibWith(m),
    usearchWith('f32', m),
    usearchWith('f16', m),
    usearchWith('i8', m),
    zvecWith('float32', m),
    zvecWith('int8', m),
    zvecWith('int8', m, { refine: true }),
    zvecWith('rabitq', m),
    zvecWith('rabitq', m, { refine: true }),
  ];
}

/** The best of each native engine, for large data. */
export const FEW_CONTENDERS: readonly Contender[] = withEfs(
  [LEANDEX, hnswlibWith(16), usearchWith('f16', 16), zvecWith('int8', 16)],
  FEW_EFS,
);

/** What the loss of compression is told apart by: the graph of the default on the vectors themselves. */
export const LEANDEX_ORIGINALS = contender(leandex, 'leandex originals', {
  primaryBits: 32,
  secondaryBits: 32,
});

/** Every contender that a suite may name. */
export const CONTENDERS: readonly Contender[] = [
  ...LEANDEX_COLUMNS,
  LEANDEX_ORIGINALS,
  contender(leandex, 'leandex graph', { exactBelow: 0 }),
  ...nativesWith(16),
  ...nativesWith(32),
  hnswlibWith(24),
  plainZvecWith('float32', 16),
  plainZvecWith('int8', 16, { refine: true }),
  edgevecWith(16),
];
