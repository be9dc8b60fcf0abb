import { checkInteger, checkOptions } from '../base/check.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import {
  KV_QUERIES,
  type KvQueries,
  partsOfQueries,
  queryRows,
  type ResolvedQueries,
  resolveQueries,
} from './query-rows.js';
import { CHUNK, type KvView, scoreSteps } from './score.js';
import { withKernels } from './work-kernels.js';

export interface NearestRequest extends KvQueries {
  /** Tokens wanted for each head of each query. */
  k: number;
}

/** The tokens with the highest scores, for each head of each query: [m, queryHeads, k]. */
export interface NearestTokens {
  k: number;
  /** Positions, best first; 0xffffffff where there are fewer than k tokens. */
  positions: Uint32Array;
  /** scale · <q, k> after rotation; −Infinity where there are fewer. */
  scores: Float32Array;
}

const NO_TOKEN = 0xffff_ffff;
/** Tokens of a result: half a gigabyte. */
const FOUND_MAX = 2 ** 26;

/** A result that no token is in yet. @throws TypeError, RangeError for a k that is none, or too large. */
export function noTokens(k: number, heads: number): NearestTokens {
  const most = Math.floor(FOUND_MAX / Math.max(1, heads));
  const size = heads * checkInteger('k', k, 1, most);
  const positions = new Uint32Array(size).fill(NO_TOKEN);
  return { k, positions, scores: new Float32Array(size).fill(-Infinity) };
}

/** Scores all tokens that a query sees on their codes, and keeps the best. */
export function* nearestSteps(view: KvView, request: NearestRequest): Steps<NearestTokens> {
  checkOptions('nearest', request, [...KV_QUERIES, 'k']);
  const { k: wanted, ...queries } = request;
  const resolved = resolveQueries('nearest', queries, view.options);
  const found = noTokens(wanted, resolved.positions.length * resolved.queryHeads);
  for (const part of partsOfQueries(resolved, view.options.headDim)) {
    const first = part.first * resolved.queryHeads;
    yield* withKernels((kernels) => nearestPartSteps(kernels, view, part, found, first));
  }
  return found;
}

/** The best tokens of some rows, as keys in the memory of kernels (wasm/beam.ts). */
function* nearestPartSteps(
  kernels: Kernels,
  view: KvView,
  request: ResolvedQueries,
  found: NearestTokens,
  first: number,
): Steps<void> {
  const { headDim } = view.options;
  const { layer, rotation } = request;
  const rows = queryRows(request, view.options);
  const count = rows.rows.length;
  const k = Math.min(found.k, view.tokens);
  const scores = kernels.alloc(count * CHUNK * 4);
  const lists = kernels.alloc(count * (k + 1) * 8);
  const sizes = new Uint32Array(count);
  const scoring = { layer, rotation, rows, scores };
  for (const [at, segment] of view.segments.entries()) {
    const mark = kernels.mark();
    yield* scoreSteps(kernels, view, at, scoring, ({ from, to }) => {
      // The list is by distance.
      kernels.call.scaleF32(scores, -1, count * CHUNK);
      for (const [row, { position }] of rows.rows.entries()) {
        const start = segment.from + from;
        const visible = Math.min(to - from, position - start + 1);
        if (visible <= 0) continue;
        const list = lists + row * (k + 1) * 8;
        const distances = scores + row * CHUNK * 4;
        sizes[row] = kernels.call.topK(distances, visible, start, k, list, sizes[row]!);
      }
    });
    kernels.release(mark);
  }
  const ids = kernels.alloc(k * 4);
  const distances = kernels.alloc(k * 4);
  for (const [row, { at }] of rows.rows.entries()) {
    const size = sizes[row]!;
    kernels.call.readKeys(lists + row * (k + 1) * 8, size, ids, distances);
    const to = (first + at / headDim) * found.k;
    found.positions.set(kernels.u32(ids, size), to);
    found.scores.set(
      kernels.f32(distances, size).map((distance) => -distance),
      to,
    );
  }
}
