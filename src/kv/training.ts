import type { Steps } from '../base/steps.js';
import { Kernels } from '../kernels/index.js';
import { linearCka } from '../linalg/alignment.js';
import { createMoments, type MomentAccumulator, type Moments } from '../linalg/moments.js';
import { type KvBases, type KvBasis, type LayerSpan, makeBasisSteps } from './basis.js';
import { largestGroup, type ResolvedKv } from './options.js';
import { outlierRows } from './outliers.js';
import { KV_KINDS, type KvKind, type KvRows, widthOf } from './shape.js';

/**
 * Adjacent layers share a basis where their linear CKA is at least this. Below it, at equal memory, one
 * basis a layer has the lower error (checks: .26 on random subspaces that align in part).
 */
export const CKA_LEAST = 0.26;

const BLOCK_ROWS = 256;

/** The moments of the largest groups that may become of some layers. */
interface Candidate {
  readonly kind: KvKind;
  readonly layers: LayerSpan;
  readonly moments: MomentAccumulator;
}

/** Sums up tokens of any number of caches, one after the other; memory does not grow with them. */
export class KvTraining {
  readonly options: ResolvedKv;
  /** Tokens that were summed up. */
  tokens = 0;
  private readonly candidates: readonly Candidate[];

  constructor(options: ResolvedKv) {
    const { layers } = options;
    const size = largestGroup(options);
    this.options = options;
    this.candidates = KV_KINDS.flatMap((kind) =>
      Array.from({ length: Math.ceil(layers / size) }, (_, i): Candidate => {
        const count = Math.min(size, layers - i * size);
        const dimensions = count * widthOf(options);
        const span = { first: i * size, count };
        return { kind, layers: span, moments: createMoments(new Kernels(), dimensions) };
      }),
    );
  }

  /** Adds the tokens behind the sinks, but for those of an unusual size. */
  *addSteps(rows: KvRows): Steps<void> {
    const { sinks } = this.options;
    const width = widthOf(this.options);
    if (rows.tokens <= sinks) return;
    for (const [done, { kind, layers, moments }] of this.candidates.entries()) {
      const parts = rows[kind].slice(layers.first, layers.first + layers.count);
      const skipped = yield* outlierRows(parts, width, sinks);
      const block = new Float32Array(BLOCK_ROWS * layers.count * width);
      let count = 0;
      for (let row = sinks; row < rows.tokens; row++) {
        if (skipped.has(row)) continue;
        copyRow(parts, width, row, block, count++);
        if (count < BLOCK_ROWS) continue;
        yield* moments.addSteps(block, count);
        count = 0;
      }
      yield* moments.addSteps(block, count);
      yield { phase: 'train', done: done + 1, total: this.candidates.length };
    }
    this.tokens += rows.tokens - sinks;
  }

  /** The bases of what was added. */
  *finishSteps(): Steps<KvBases> {
    const { group, keyWeight } = this.options;
    const bases: KvBasis[] = [];
    for (const { kind, layers, moments } of this.candidates) {
      const all = yield* moments.finishSteps();
      const spans = group === 'auto' ? alignedSpans(all, layers) : [layers];
      for (const span of spans) {
        const part = yield* momentsOfSpan(all, layers, span);
        const weight = kind === 'keys' ? keyWeight : 1;
        bases.push(yield* makeBasisSteps(new Kernels(), part, kind, span, weight));
      }
    }
    return bases;
  }
}

/** Copies a token's numbers of several layers, side by side. */
function copyRow(
  layers: readonly Float32Array[],
  width: number,
  row: number,
  to: Float32Array,
  at: number,
): void {
  layers.forEach((rows, i) => {
    to.set(rows.subarray(row * width, (row + 1) * width), (at * layers.length + i) * width);
  });
}

/** Parts layers where one does not align with the next. */
function alignedSpans({ mean, covariance }: Moments, layers: LayerSpan): LayerSpan[] {
  const d = mean.length;
  const width = d / layers.count;
  const span = (i: number) => ({ from: i * width, to: (i + 1) * width });
  const spans: LayerSpan[] = [];
  let first = 0;
  for (let i = 1; i <= layers.count; i++) {
    const isAligned =
      i < layers.count && linearCka(covariance, d, span(i - 1), span(i)) >= CKA_LEAST;
    if (isAligned) continue;
    spans.push({ first: layers.first + first, count: i - first });
    first = i;
  }
  return spans;
}

/** The moments of some of the layers. */
function* momentsOfSpan(all: Moments, layers: LayerSpan, span: LayerSpan): Steps<Moments> {
  if (span.count === layers.count) return all;
  const from = all.mean.length;
  const width = from / layers.count;
  const start = (span.first - layers.first) * width;
  const d = span.count * width;
  const covariance = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const at = (start + i) * from + start;
    covariance.set(all.covariance.subarray(at, at + d), i * d);
    if (i % 256 === 0) yield;
  }
  return { count: all.count, mean: all.mean.slice(start, start + d), covariance };
}
