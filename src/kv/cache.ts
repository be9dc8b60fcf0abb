import { checkInteger, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import { drain, partRunOptions, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { readContainer, writeContainer } from '../format/container.js';
import { WriteQueue } from '../graph/write-queue.js';
import { appendSteps } from './append.js';
import { attendSteps } from './attend.js';
import { decodeSteps } from './codec.js';
import { describeGroups, type KvGroup } from './describe.js';
import type { KvModel } from './model.js';
import { type NearestRequest, type NearestTokens, nearestSteps } from './nearest.js';
import type { ResolvedKv } from './options.js';
import type { KvQueries } from './query-rows.js';
import { CACHE_KIND, type CacheParts, describeCache, readCache } from './save-cache.js';
import { exactRows, type KvSegment, segmentBytes, streamOf } from './segment.js';
import { checkTokens, type KvKind, type KvTokens, widthOf } from './shape.js';
import { withKernels } from './work-kernels.js';

/** What a cache takes, in bytes. */
export interface KvBytes {
  /** Codes and exact tokens. */
  readonly tokens: number;
  /** Bases that belong to this cache alone; 0 with those of a model. */
  readonly basis: number;
  readonly total: number;
}

export interface KvRange {
  layer: number;
  /** First position, default 0. */
  from?: number;
  /** Position behind the last, default the number of tokens. */
  to?: number;
}

/** A compressed KV-cache. */
export class KvCache {
  private parts: CacheParts;
  private readonly appends = new WriteQueue();

  /** Made by KvModel.compress(), compressKv() and fromBytes(). */
  constructor(parts: CacheParts) {
    this.parts = parts;
  }

  get options(): Readonly<ResolvedKv> {
    return this.parts.options;
  }

  /** The cache as bytes, without the bases of the model that it was compressed with. */
  toBytes(): Uint8Array {
    return writeContainer(describeCache(this.parts));
  }

  /**
   * @param model whose bases the cache was compressed with; not needed where it has its own.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` for another model or none; LeandexError
   * `CORRUPT`, `UNSUPPORTED_VERSION`.
   */
  static fromBytes(bytes: Uint8Array, model?: KvModel): KvCache {
    const parts = readCache(readContainer(bytes, CACHE_KIND), (id) => {
      if (model?.id === id) return model.bases;
      throw outOfRange(
        'model',
        `the one the cache was compressed with, ${id}`,
        model?.id ?? 'none',
      );
    });
    return new KvCache(parts);
  }

  get tokens(): number {
    return this.parts.tokens;
  }

  /** Whose basis the tokens are coded with. */
  get basis(): 'calibrated' | 'own' {
    return this.parts.segments.some(({ isOwn }) => isOwn) ? 'own' : 'calibrated';
  }

  get bytes(): KvBytes {
    let [tokens, basis] = [0, 0];
    for (const segment of this.parts.segments) {
      const bytes = segmentBytes(segment);
      tokens += bytes.tokens;
      basis += bytes.basis;
    }
    return { tokens, basis, total: tokens + basis };
  }

  /** How each group of layers is coded, keys and values apart; anew from where bases were refreshed. */
  get groups(): KvGroup[] {
    return describeGroups(this.parts.segments);
  }

  /**
   * Keys (before RoPE) and values of tokens from … to − 1 of a layer, (to − from) × width each.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`.
   */
  reconstruct(range: KvRange): { keys: Float32Array; values: Float32Array } {
    return drain(this.reconstructSteps(range));
  }

  /** reconstruct() in slices. Errors as there, LeandexError `ABORTED`. */
  async reconstructAsync(
    range: KvRange & RunOptions,
  ): Promise<{ keys: Float32Array; values: Float32Array }> {
    const { rest, run } = partRunOptions('reconstructAsync', range);
    return runSteps(this.reconstructSteps(rest), run);
  }

  /**
   * Puts tokens behind the last: exact at first; all but the most recent ones are then coded.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`; LeandexError `BUSY` while
   * an appendAsync() is under way.
   */
  append(tokens: KvTokens): void {
    const rows = checkTokens('append', tokens, this.options);
    if (this.appends.isBusy) {
      throw new LeandexError('BUSY', 'an append is under way: await it before append()');
    }
    this.parts = drain(appendSteps(this.parts, rows));
  }

  /**
   * append() in slices, in the order of the calls; all or nothing. Until it has ended, and for reads
   * that began before, the cache is as it was. Errors as for append(), LeandexError `ABORTED`.
   */
  async appendAsync(tokens: KvTokens, options: RunOptions = {}): Promise<void> {
    const { run, rest } = partRunOptions('appendAsync', options);
    checkOptions('appendAsync', rest, []);
    const rows = checkTokens('append', tokens, this.options);
    await this.appends.run(async () => {
      this.parts = await runSteps(appendSteps(this.parts, rows), run);
    });
  }

  /**
   * What attention gives for queries, straight from the codes: softmax(scale · q kᵀ) v for each head,
   * over the tokens up to each query's position; of the shape of the queries.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
   */
  attend(request: KvQueries): Float32Array {
    return drain(attendSteps(this.parts, request));
  }

  /** attend() in slices. Errors as there, LeandexError `ABORTED`. */
  async attendAsync(request: KvQueries & RunOptions): Promise<Float32Array> {
    const { rest, run } = partRunOptions('attendAsync', request);
    return runSteps(attendSteps(this.parts, rest), run);
  }

  /**
   * The k tokens with the highest scores for each head of each query, by a scan of the codes.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
   */
  nearest(request: NearestRequest): NearestTokens {
    return drain(nearestSteps(this.parts, request));
  }

  /** nearest() in slices. Errors as there, LeandexError `ABORTED`. */
  async nearestAsync(request: NearestRequest & RunOptions): Promise<NearestTokens> {
    const { rest, run } = partRunOptions('nearestAsync', request);
    return runSteps(nearestSteps(this.parts, rest), run);
  }

  private *reconstructSteps(range: KvRange) {
    checkOptions('reconstruct', range, ['layer', 'from', 'to']);
    const layer = checkInteger('layer', range.layer, 0, this.options.layers - 1);
    const to = checkInteger('to', range.to ?? this.tokens, 0, this.tokens);
    const from = checkInteger('from', range.from ?? 0, 0, to);
    const { segments } = this.parts;
    return {
      keys: yield* this.rowsSteps(segments, 'keys', layer, from, to),
      values: yield* this.rowsSteps(segments, 'values', layer, from, to),
    };
  }

  private *rowsSteps(
    segments: readonly KvSegment[],
    kind: KvKind,
    layer: number,
    from: number,
    to: number,
  ): Steps<Float32Array> {
    const width = widthOf(this.options);
    const out = new Float32Array((to - from) * width);
    for (const segment of segments) {
      const { stream, part } = streamOf(segment, kind, layer);
      const first = Math.max(from - segment.from, 0);
      const end = Math.min(to - segment.from, segment.coded);
      const at = (position: number) => (position + segment.from - from) * width;
      yield* withKernels(function* (kernels) {
        if (first < end) {
          out.set(yield* decodeSteps(kernels, stream, part, first, end), at(first));
        }
        for (const [position, row] of exactRows(stream, part)) {
          if (position < from - segment.from || position >= to - segment.from) continue;
          out.set(row, at(position));
        }
      });
    }
    return out;
  }
}
