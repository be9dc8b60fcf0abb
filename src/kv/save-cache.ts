import { asBytes, type Container, sectionOf } from '../format/container.js';
import { corrupt } from '../format/layout.js';
import type { KvBases, KvBasis } from './basis.js';
import type { ResolvedKv } from './options.js';
import {
  checkedHalves,
  describeBases,
  halvesAsBytes,
  readBases,
  readOptions,
  requireBases,
  requireSections,
  SECTIONS_EACH,
} from './save-bases.js';
import { type KvSegment, newSegment } from './segment.js';
import { TOKENS_MAX } from './shape.js';
import { type KvStream, meaningBytes, TILE } from './stream.js';

export const CACHE_KIND = 'kv-cache';
const WIDTH_MAX = 8;

/** All of a cache that is saved. Never changed: appending makes another one. */
export interface CacheParts {
  readonly options: ResolvedKv;
  readonly recent: number;
  readonly refresh: number;
  readonly tokens: number;
  readonly segments: readonly KvSegment[];
  /** Of the model whose bases are not saved; undefined where all are its own. */
  readonly modelId: number | undefined;
}

/** What a header says of a segment; a number for each stream. */
interface SavedSegment {
  from: number;
  coded: number;
  missed: KvSegment['missed'] | null;
  /** Its bases (save-bases.ts); null where they are the model's. */
  bases: unknown;
  /** Coded components. */
  components: number[];
  /** Tokens that are kept exact. */
  exact: number[];
}

export function describeCache(parts: CacheParts): Container {
  const { options, recent, refresh, tokens, segments, modelId } = parts;
  const sections: Record<string, Uint8Array> = {};
  const saved = segments.map(({ from, coded, isOwn, streams, missed }, s): SavedSegment => {
    const own = isOwn
      ? describeBases(
          streams.map(({ basis }) => basis),
          `${s}.`,
        )
      : undefined;
    Object.assign(sections, own?.sections);
    for (const [i, stream] of streams.entries()) {
      const positions = Uint32Array.from(stream.exact.keys());
      sections[`${s}.meaning.${i}`] = packMeaning(stream);
      sections[`${s}.codes.${i}`] = stream.codes;
      sections[`${s}.positions.${i}`] = asBytes(positions);
      sections[`${s}.exact.${i}`] = joinHalves([...stream.exact.values()]);
    }
    return {
      from,
      coded,
      missed: missed ?? null,
      bases: own?.header ?? null,
      components: streams.map(({ widths }) => widths.length),
      exact: streams.map(({ exact }) => exact.size),
    };
  });
  const header = { options, recent, refresh, tokens, model: modelId ?? null, segments: saved };
  return { kind: CACHE_KIND, header, sections };
}

/**
 * Reads and checks what describeCache() described; `modelBases` gives the bases of the model of an id.
 * @throws LeandexError `CORRUPT`
 */
export function readCache(
  { header, sections }: Container,
  modelBases: (id: number) => KvBases,
): CacheParts {
  const options = readOptions(header, CACHE_KIND);
  const { recent, refresh, tokens, model, segments } = header;
  const isFactor = (value: unknown): value is number => typeof value === 'number' && value >= 1;
  const isCount = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= TOKENS_MAX;
  if (
    !isCount(recent) ||
    !isCount(tokens) ||
    !isFactor(refresh) ||
    !Array.isArray(segments) ||
    segments.length === 0
  ) {
    throw corrupt(CACHE_KIND, 'its header is not valid');
  }
  const modelId = model === null ? undefined : checkedId(model);
  const shared = modelId === undefined ? undefined : modelBases(modelId);
  if (shared !== undefined) requireBases(shared, options, CACHE_KIND);
  const read = segments.map((saved: SavedSegment, s): KvSegment => {
    const { from, coded, bases: own, components, exact } = saved ?? {};
    const isValid = isCount(from) && isCount(coded) && from + coded <= tokens;
    if (!isValid || !Array.isArray(components) || !Array.isArray(exact)) {
      throw corrupt(CACHE_KIND, `segment ${s} is not valid`);
    }
    const bases = own === null ? shared : readBases(own, sections, options, CACHE_KIND, `${s}.`);
    if (bases?.length !== components.length || bases.length !== exact.length) {
      throw corrupt(CACHE_KIND, `segment ${s} has no bases`);
    }
    const meanings = components.map((n, i) => {
      if (!isCount(n) || n > bases[i]!.rank) throw corrupt(CACHE_KIND, 'too many components');
      return unpackMeaning(sections, `${s}.meaning.${i}`, n);
    });
    const segment = newSegment(
      from,
      bases,
      meanings.map(({ widths }) => widths),
      meanings.map(({ exponents }) => exponents),
      own !== null,
    );
    const streams = segment.streams.map((stream, i) => {
      const size = Math.ceil(coded / TILE) * stream.tileBytes;
      const codes = sectionOf(sections, `${s}.codes.${i}`, size, CACHE_KIND).slice();
      if (!isCount(exact[i])) throw corrupt(CACHE_KIND, `segment ${s} is not valid`);
      return { ...stream, codes, exact: readExact(sections, s, i, exact[i]!, stream.basis) };
    });
    return { ...segment, streams, coded, missed: checkedMissed(saved.missed) };
  });
  requireOrder(read, tokens);
  const lists = read.reduce((sum, { isOwn, streams }) => sum + streams.length * (isOwn ? 2 : 1), 0);
  requireSections(sections, lists * SECTIONS_EACH, CACHE_KIND);
  return { options, recent, refresh, tokens, segments: read, modelId };
}

function checkedId(model: unknown): number {
  if (Number.isInteger(model)) return model as number;
  throw corrupt(CACHE_KIND, 'its model is not valid');
}

function checkedMissed(missed: SavedSegment['missed']): KvSegment['missed'] {
  if (missed === null) return undefined;
  const isShare = (value: unknown) => Number.isFinite(value) && (value as number) >= 0;
  if (isShare(missed?.first) && isShare(missed?.last)) return missed;
  throw corrupt(CACHE_KIND, 'what its bases miss is not valid');
}

function readExact(
  sections: Container['sections'],
  s: number,
  i: number,
  count: number,
  { dimensions: size }: KvBasis,
): Map<number, Uint16Array> {
  const bytes = sectionOf(sections, `${s}.positions.${i}`, 4 * count, CACHE_KIND);
  const positions = new Uint32Array(bytes.slice().buffer);
  const rows = checkedHalves(
    sectionOf(sections, `${s}.exact.${i}`, 2 * size * count, CACHE_KIND),
    CACHE_KIND,
  );
  const exact = new Map<number, Uint16Array>();
  positions.forEach((position, at) => {
    if (at > 0 && position <= positions[at - 1]!) {
      throw corrupt(CACHE_KIND, 'its exact tokens are not in order');
    }
    exact.set(position, rows.slice(at * size, (at + 1) * size));
  });
  return exact;
}

/** Segments follow one another, and tokens without codes are exact. */
function requireOrder(segments: readonly KvSegment[], tokens: number): void {
  segments.forEach(({ from, coded, streams }, s) => {
    const end = segments[s + 1]?.from ?? tokens;
    const start = s === 0 ? 0 : from;
    const isWhole = streams.every(({ exact }) => {
      const positions = [...exact.keys()];
      const behind = positions.filter((position) => position >= coded).length;
      return behind === end - from - coded && (positions.at(-1) ?? 0) < Math.max(1, end - from);
    });
    if (from !== start || from + coded > end || !isWhole) {
      throw corrupt(CACHE_KIND, `segment ${s} does not have all its tokens`);
    }
  });
}

/** A nibble for each width, then a byte for each exponent. */
function packMeaning({ widths, exponents }: KvStream): Uint8Array {
  const bytes = new Uint8Array(meaningBytes(widths.length));
  widths.forEach((width, i) => {
    bytes[i >> 1] = bytes[i >> 1]! | (width << (4 * (i & 1)));
  });
  bytes.set(new Uint8Array(exponents.buffer, exponents.byteOffset), bytes.length - widths.length);
  return bytes;
}

function unpackMeaning(
  sections: Container['sections'],
  name: string,
  n: number,
): { widths: Uint8Array; exponents: Int8Array } {
  const bytes = sectionOf(sections, name, meaningBytes(n), CACHE_KIND);
  const widths = Uint8Array.from({ length: n }, (_, i) => (bytes[i >> 1]! >> (4 * (i & 1))) & 15);
  if (!widths.every((width) => width <= WIDTH_MAX)) throw corrupt(CACHE_KIND, 'too many bits');
  return { widths, exponents: Int8Array.from(bytes.subarray(bytes.length - n)) };
}

function joinHalves(rows: readonly Uint16Array[]): Uint8Array {
  const size = rows[0]?.length ?? 0;
  const all = new Uint16Array(rows.length * size);
  for (const [i, row] of rows.entries()) all.set(row, i * size);
  return halvesAsBytes(all);
}
