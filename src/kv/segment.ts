import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { basisBytes, basisOf, type KvBases, type KvBasis } from './basis.js';
import { encodeSteps } from './codec.js';
import { largestAbove, OUTLIER_FACTOR } from './outliers.js';
import type { KvPlan } from './plan.js';
import type { KvKind, KvRows } from './shape.js';
import { exactBytes, type KvStream, newStream, streamBytes } from './stream.js';
import { withKernels } from './work-kernels.js';

/** Tokens of a cache that are coded with the same bases. */
export interface KvSegment {
  /** Position of the first token in the cache. */
  readonly from: number;
  /** Whether the bases belong to the cache, not to a model that others share. */
  readonly isOwn: boolean;
  /** One a basis, in the same order. */
  readonly streams: readonly KvStream[];
  /** Tokens of the segment that have codes, from its start on. */
  coded: number;
}

export function newSegment(
  from: number,
  bases: KvBases,
  plan: KvPlan,
  exponents: readonly Int8Array[],
  isOwn: boolean,
): KvSegment {
  return {
    from,
    isOwn,
    coded: 0,
    streams: bases.map((basis, i) => newStream(basis, plan[i]!, exponents[i]!)),
  };
}

/** The stream that has a layer, and the number of the layer in its group. */
export function streamOf(
  { streams }: KvSegment,
  kind: KvKind,
  layer: number,
): { stream: KvStream; part: number } {
  const { at, part } = basisOf(
    streams.map(({ basis }) => basis),
    kind,
    layer,
  );
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

/** The numbers of a layer of a stream's exact tokens, by their positions. */
export function exactRows(
  kernels: Kernels,
  { basis, exact }: KvStream,
  part: number,
): Map<number, Float32Array> {
  const width = basis.dimensions / basis.scale.length;
  const mark = kernels.mark();
  const halves = kernels.alloc(width * 2);
  const row = kernels.alloc(width * 4);
  const rows = new Map<number, Float32Array>();
  for (const [position, numbers] of exact) {
    kernels.u16(halves, width).set(numbers.subarray(part * width, (part + 1) * width));
    kernels.call.kvFromHalves(halves, width, row);
    rows.set(position, kernels.f32(row, width).slice());
  }
  kernels.release(mark);
  return rows;
}

/** The numbers of a token in the layers of a basis, side by side. */
export function rowOf(rows: KvRows, { kind, layers }: KvBasis, token: number): Float32Array {
  const width = rows[kind][0]!.length / rows.tokens;
  const row = new Float32Array(layers.count * width);
  copyToken(rows, { kind, layers }, token, row);
  return row;
}

/** rowOf() into an array that is there. */
export function copyToken(
  rows: KvRows,
  { kind, layers }: Pick<KvBasis, 'kind' | 'layers'>,
  token: number,
  to: Float32Array,
): void {
  const width = to.length / layers.count;
  for (let i = 0; i < layers.count; i++) {
    const of = rows[kind][layers.first + i]!;
    to.set(of.subarray(token * width, (token + 1) * width), i * width);
  }
}

/** Tokens from `first` on that are too unusual for a basis: kept exact. */
export function* unusualTokens(
  rows: KvRows,
  basis: KvBasis,
  first: number,
): Steps<ReadonlySet<number>> {
  const { dimensions, mean, scale, totalVariance } = basis;
  const width = dimensions / scale.length;
  const row = new Float32Array(dimensions);
  const energies = new Float64Array(Math.max(0, rows.tokens - first));
  for (let i = 0; i < energies.length; i++) {
    copyToken(rows, basis, first + i, row);
    let energy = 0;
    for (let j = 0; j < dimensions; j++) {
      energy += ((row[j]! - mean[j]!) * scale[Math.floor(j / width)]!) ** 2;
    }
    energies[i] = energy;
    if (i % 256 === 0) yield;
  }
  return largestAbove(energies, first, OUTLIER_FACTOR * totalVariance);
}

/** Codes tokens `from` … of rows as those of a segment behind its last; the share of energy missed. */
export function* codeTokensSteps(
  segment: KvSegment,
  rows: KvRows,
  count: number,
  exact: readonly ReadonlySet<number>[],
): Steps<number> {
  const { streams, coded } = segment;
  let [energy, missed] = [0, 0];
  for (const [i, stream] of streams.entries()) {
    const { basis } = stream;
    const found = yield* withKernels((kernels) =>
      encodeSteps(kernels, stream, coded, coded + count, (position, row) => {
        // Codes of exact tokens are never read: those of the mean do no harm to the energies.
        if (exact[i]!.has(position - coded)) row.set(basis.mean);
        else copyToken(rows, basis, position - coded, row);
      }),
    );
    energy += found.energy;
    missed += found.missed;
    yield { phase: 'build', done: i + 1, total: streams.length };
  }
  segment.coded += count;
  return energy > 0 ? missed / energy : 0;
}

/** Bits that exact tokens take. */
export function exactBits(bases: KvBases, exact: readonly ReadonlySet<number>[]): number {
  return bases.reduce((sum, basis, i) => sum + 8 * exactBytes(basis) * exact[i]!.size, 0);
}
