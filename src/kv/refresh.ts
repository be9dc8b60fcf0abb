import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { transposeSteps } from '../linalg/row-products.js';
import { updateSvdSteps } from '../linalg/svd-update.js';
import { halvesSteps, type KvBasis, truncateSteps } from './basis.js';
import { scaleRows, stageVectorsSteps } from './codec.js';
import { bitsOf, planBits } from './plan.js';
import { type KvSegment, newSegment } from './segment.js';
import { floatsOf, type KvStream } from './stream.js';
import { withKernels } from './work-kernels.js';

/** What the present bases count against the new tokens: so many times their number. */
const PAST_WEIGHT = 4;

/**
 * Parts a segment: a new one has the tokens that have no codes yet, with bases that are those of the
 * last one updated by these tokens, and as many bits a token. They belong to the cache alone.
 */
export function* refreshSteps(last: KvSegment): Steps<[KvSegment, KvSegment]> {
  const updated: KvBasis[] = [];
  for (const stream of last.streams) {
    updated.push(yield* withKernels((kernels) => updateBasisSteps(kernels, stream, last.coded)));
  }
  const bits = last.streams.reduce((sum, { widths }) => sum + bitsOf(widths), 0);
  const plan = planBits(
    updated.map(({ variances }) => variances),
    bits,
  );
  const bases: KvBasis[] = [];
  for (const [i, basis] of updated.entries()) {
    bases.push(yield* truncateSteps(basis, plan[i]!.length));
  }
  const exponents = plan.map((widths) => new Int8Array(widths.length));
  const segment = newSegment(last.from + last.coded, bases, plan, exponents, true);
  const partOf = (stream: KvStream, isPart: (position: number) => boolean) =>
    [...stream.exact].filter(([position]) => isPart(position));
  const before = last.streams.map((stream) => {
    return { ...stream, exact: new Map(partOf(stream, (position) => position < last.coded)) };
  });
  const streams = segment.streams.map((stream, i) => {
    const waiting = partOf(last.streams[i]!, (position) => position >= last.coded);
    const moved = waiting.map(([position, row]) => [position - last.coded, row] as const);
    return { ...stream, exact: new Map(moved) };
  });
  return [
    { ...last, streams: before },
    { ...segment, streams },
  ];
}

/** The basis of a stream, updated by its exact tokens from a position on. */
function* updateBasisSteps(
  kernels: Kernels,
  { basis, exact }: KvStream,
  from: number,
): Steps<KvBasis> {
  const { dimensions: d, rank } = basis;
  const recent = [...exact].filter(([position]) => position >= from).map(([, row]) => row);
  const rows = new Float32Array(recent.length * d);
  for (const [i, row] of recent.entries()) rows.set(floatsOf(row), i * d);
  const energy = scaleRows(rows, basis);
  const past = PAST_WEIGHT * recent.length;
  const matrix = yield* stageVectorsSteps(kernels, basis, 0, d);
  const columns = Float64Array.from(kernels.f32(matrix, d * rank));
  const known = {
    s: basis.variances.map((variance) => Math.sqrt(variance * past)),
    v: rank === 0 ? columns : yield* transposeSteps(columns, rank),
  };
  const most = Math.min(d, rank + recent.length);
  const { s, v } = yield* updateSvdSteps(kernels, known, Float64Array.from(rows), d, most);
  const count = past + recent.length;
  return {
    ...basis,
    rank: s.length,
    vectors: yield* halvesSteps(kernels, yield* transposeSteps(v, d)),
    variances: s.map((value) => (value * value) / count),
    totalVariance: (basis.totalVariance * past + energy) / count,
  };
}
