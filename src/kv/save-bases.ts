import {
  asBytes,
  type Container,
  doubleSection,
  floatSection,
  sectionOf,
} from '../format/container.js';
import { corrupt } from '../format/layout.js';
import type { KvBases, KvBasis } from './basis.js';
import { type ResolvedKv, resolveKv } from './options.js';
import { KV_KINDS, type KvKind, widthOf } from './shape.js';

/** What a saved header says of a basis. */
interface SavedBasis {
  kind: KvKind;
  first: number;
  count: number;
  rank: number;
  totalVariance: number;
}

/** Bases as a part of a header and sections, whose names begin with `prefix`. */
export function describeBases(
  bases: KvBases,
  prefix = '',
): { header: SavedBasis[]; sections: Record<string, Uint8Array> } {
  const header = bases.map(({ kind, layers: { first, count }, rank, totalVariance }) => {
    return { kind, first, count, rank, totalVariance };
  });
  const sections: Record<string, Uint8Array> = {};
  for (const [i, { mean, scale, variances, vectors }] of bases.entries()) {
    sections[`${prefix}mean.${i}`] = asBytes(mean);
    sections[`${prefix}scale.${i}`] = asBytes(scale);
    sections[`${prefix}variances.${i}`] = asBytes(variances);
    sections[`${prefix}vectors.${i}`] = halvesAsBytes(vectors);
  }
  return { header, sections };
}

/**
 * Reads and checks what describeBases() described.
 * @throws LeandexError `CORRUPT`
 */
export function readBases(
  given: unknown,
  sections: Container['sections'],
  options: ResolvedKv,
  kind: string,
  prefix = '',
): KvBases {
  if (!Array.isArray(given)) throw corrupt(kind, 'its bases are not a list');
  const bases = given.map((saved: SavedBasis, i): KvBasis => {
    const { first, count, rank, totalVariance } = saved ?? {};
    const dimensions = count * widthOf(options);
    const isSize = Number.isInteger(count) && count >= 1 && count <= options.layers;
    const isRank = Number.isInteger(rank) && rank >= 0 && rank <= dimensions;
    if (
      !isSize ||
      !isRank ||
      !Number.isFinite(totalVariance) ||
      totalVariance < 0 ||
      !KV_KINDS.includes(saved.kind)
    ) {
      throw corrupt(kind, `basis ${i} is not valid`);
    }
    const name = (of: string) => `${prefix}${of}.${i}`;
    const vectors = sectionOf(sections, name('vectors'), 2 * dimensions * rank, kind);
    return {
      kind: saved.kind,
      layers: { first, count },
      dimensions,
      rank,
      mean: floatSection(sections, name('mean'), dimensions, kind),
      scale: floatSection(sections, name('scale'), count, kind),
      vectors: checkedHalves(vectors, kind),
      variances: doubleSection(sections, name('variances'), rank, kind),
      totalVariance,
    };
  });
  requireBases(bases, options, kind);
  return bases;
}

/** Each layer has one basis of its keys and one of its values. @throws LeandexError `CORRUPT` */
export function requireBases(bases: KvBases, options: ResolvedKv, kind: string): void {
  const width = widthOf(options);
  if (bases.some(({ dimensions, layers: { count } }) => dimensions !== count * width)) {
    throw corrupt(kind, `its tokens do not have ${width} numbers a layer, as the bases do`);
  }
  for (const of of KV_KINDS) requireEachLayer(bases, of, options.layers, kind);
}

/** Each layer has one basis, in order. */
function requireEachLayer(bases: KvBases, of: KvKind, layers: number, kind: string): void {
  let next = 0;
  for (const { kind: own, layers: span, scale, variances } of bases) {
    if (own !== of) continue;
    if (span.first !== next || !scale.every((x) => x > 0) || !variances.every((x) => x >= 0)) {
      throw corrupt(kind, `the bases of the ${of} are not valid`);
    }
    next += span.count;
  }
  if (next !== layers) throw corrupt(kind, `the bases of the ${of} are of ${next} layers`);
}

/** A basis has four sections, and so have the tokens of a segment that it codes. */
export const SECTIONS_EACH = 4;

/** Given that all that belong to it are there. @throws LeandexError `CORRUPT` for other ones. */
export function requireSections(
  sections: Container['sections'],
  expected: number,
  kind: string,
): void {
  const { length } = Object.keys(sections);
  if (length !== expected) throw corrupt(kind, `it has ${length} sections, expected ${expected}`);
}

/** @throws LeandexError `CORRUPT` */
export function readOptions(header: Record<string, unknown>, kind: string): ResolvedKv {
  try {
    return resolveKv('the saved options', header.options as ResolvedKv);
  } catch (cause) {
    throw corrupt(kind, 'its options are not valid', {}, cause);
  }
}

export function halvesAsBytes(halves: Uint16Array): Uint8Array {
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
}

/** binary16 numbers, none of them NaN or infinite. @throws LeandexError `CORRUPT` */
export function checkedHalves(bytes: Uint8Array, kind: string): Uint16Array {
  const halves = new Uint16Array(bytes.slice().buffer);
  if (halves.every((half) => (half & 0x7c00) !== 0x7c00)) return halves;
  throw corrupt(kind, 'it has numbers that are not finite');
}
