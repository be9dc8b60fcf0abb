import type { Steps } from '../base/steps.js';
import { basisBytes, basisOf, type KvBases, type KvBasis } from './basis.js';
import { encodeSteps } from './codec.js';
import { largestAbove, OUTLIER_FACTOR } from './outliers.js';
import type { KvPlan } from './plan.js';
import type { KvKind, KvRows } from './shape.js';
import { exactBytes, floatsOf, halvesOf, type KvStream, newStream, streamBytes } from './stream.js';
import { withKernels } from './work-kernels.js';

/**
 * Tokens of a cache that are coded with the same bases. Never changed: what adds tokens makes another
 * one, so that readers see all of it or nothing, and an abort leaves what was there.
 */
export interface KvSegment {
  /** Position of the first token in the cache. */
  readonly from: number;
  /** Whether the bases belong to the cache, not to a model that others share. */
  readonly isOwn: boolean;
  /** One a basis, in the same order. */
  readonly streams: readonly KvStream[];
  /** Tokens of the segment that have codes, from its start on. */
  readonly coded: number;
  /** Share of the energy that its components miss: of the first tokens coded, and of the last. */
  readonly missed: { readonly first: number; readonly last: number } | undefined;
}

/** A segment without tokens. */
export function newSegment(
  from: number,
  bases: KvBases,
  plan: KvPlan,
  exponents: readonly Int8Array[],
  isOwn: boolean,
): KvSegment {
  const streams = bases.map((basis, i) => newStream(basis, plan[i]!, exponents[i]!));
  return { from, isOwn, streams, coded: 0, missed: undefined };
}

/** The stream that has a layer, and the number of the layer in its group. */
export function streamOf(
  { streams }: KvSegment,
  kind: KvKind,
  layer: number,
): { stream: KvStream; part: number } {
  const bases = streams.map(({ basis }) => basis);
  const { at, part } = basisOf(bases, kind, layer);
  return { stream: streams[at]!, part };
}

export function segmentBytes({ streams, isOwn }: KvSegment): { tokens: number; basis: number } {
  let [tokens, basis] = [0, 0];
  for (const stream of streams) {
    tokens += streamBytes(stream);
    if (isOwn) basis += basisBytes(stream.basis, stream.widths.length);
  }
  return { tokens, basis };
}

/** Bits that exact tokens take. */
export function exactBits(bases: KvBases, exact: readonly ReadonlySet<number>[]): number {
  return bases.reduce((sum, basis, i) => sum + 8 * exactBytes(basis) * exact[i]!.size, 0);
}

/** The numbers of a layer of a stream's exact tokens, by their positions. */
export function exactRows({ basis, exact }: KvStream, part: number): Map<number, Float32Array> {
  const width = basis.dimensions / basis.scale.length;
  const rows = new Map<number, Float32Array>();
  for (const [position, numbers] of exact) {
    rows.set(position, floatsOf(numbers.subarray(part * width, (part + 1) * width)));
  }
  return rows;
}

/** Puts the numbers of a token in the layers of a stream, side by side, into a row. */
export type FillRow = (stream: number, token: number, row: Float32Array) => void;

/** Rows of the tokens of a cache that is given, for bases in the order of streams. */
export function fillFrom(rows: KvRows, bases: KvBases): FillRow {
  return (stream, token, row) => {
    const { kind, layers } = bases[stream]!;
    const width = row.length / layers.count;
    for (let i = 0; i < layers.count; i++) {
      const of = rows[kind][layers.first + i]!;
      row.set(of.subarray(token * width, (token + 1) * width), i * width);
    }
  };
}

/** Of tokens 0 … count − 1 those that are too unusual for a basis: kept exact. */
export function* unusualTokens(
  basis: KvBasis,
  count: number,
  fill: (token: number, row: Float32Array) => void,
): Steps<ReadonlySet<number>> {
  const { dimensions, mean, scale, totalVariance } = basis;
  const width = dimensions / scale.length;
  const row = new Float32Array(dimensions);
  const energies = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    fill(i, row);
    let energy = 0;
    for (let part = 0; part < scale.length; part++) {
      const factor = scale[part]!;
      for (let j = part * width; j < (part + 1) * width; j++) {
        const x = (row[j]! - mean[j]!) * factor;
        energy += x * x;
      }
    }
    energies[i] = energy;
    if (i % 256 === 0) yield;
  }
  return largestAbove(energies, 0, OUTLIER_FACTOR * totalVariance);
}

/** With tokens behind the coded ones kept exact, numbered from there on as for `fill`. */
export function withExact(
  segment: KvSegment,
  tokens: readonly ReadonlySet<number>[],
  fill: FillRow,
): KvSegment {
  const streams = segment.streams.map((stream, i) => {
    const exact = new Map(stream.exact);
    const row = new Float32Array(stream.basis.dimensions);
    for (const token of [...tokens[i]!].sort((a, b) => a - b)) {
      fill(i, token, row);
      exact.set(segment.coded + token, halvesOf(row));
    }
    return { ...stream, exact };
  });
  return { ...segment, streams };
}

/**
 * With `count` tokens coded behind the last coded one; `exact` has for each stream the ones of which no
 * codes are needed, numbered as for `fill`.
 */
export function* codeTokensSteps(
  segment: KvSegment,
  count: number,
  exact: readonly ReadonlySet<number>[],
  fill: FillRow,
): Steps<KvSegment> {
  const { coded } = segment;
  const streams: KvStream[] = [];
  let [energy, missed] = [0, 0];
  for (const [i, stream] of segment.streams.entries()) {
    const found = yield* withKernels((kernels) =>
      encodeSteps(kernels, stream, coded, coded + count, (position, row) => {
        // Those of the mean do no harm to the energies.
        if (exact[i]!.has(position - coded)) row.set(stream.basis.mean);
        else fill(i, position - coded, row);
      }),
    );
    streams.push({ ...stream, codes: found.codes });
    energy += found.energy;
    missed += found.missed;
    yield { phase: 'build', done: i + 1, total: segment.streams.length };
  }
  const more = { ...segment, streams, coded: coded + count };
  if (energy === 0) return more;
  // Rounding may make it negative.
  const last = Math.max(0, missed / energy);
  return { ...more, missed: { first: segment.missed?.first ?? last, last } };
}
