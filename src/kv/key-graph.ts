import { checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { partRunOptions, type RunOptions, runSteps } from '../base/steps.js';
import { LeanIndex } from '../graph/lean-index.js';
import { KvCache } from './cache.js';
import { type NearestRequest, type NearestTokens, noTokens } from './nearest.js';
import { queryRows, resolveQueries } from './query-rows.js';
import { type Rope, resolveRope, rotate } from './rope.js';

export interface KeyGraphOptions extends RunOptions {
  layer: number;
  rope?: Rope;
}

export interface GraphRequest extends Omit<NearestRequest, 'layer' | 'rope'> {
  /** Breadth of the search, see LeanIndex.search(). */
  ef?: number;
}

/**
 * A graph (HNSW) of the rotated keys of each kv head of one layer, for caches so long that scanning the
 * codes takes too long. It has the tokens that were there when it was made.
 */
export class KeyGraph {
  readonly tokens: number;
  private readonly cache: KvCache;
  private readonly layer: number;
  private readonly rope: Rope | undefined;
  private readonly graphs: readonly LeanIndex[];

  private constructor(
    cache: KvCache,
    { layer, rope }: KeyGraphOptions,
    tokens: number,
    graphs: readonly LeanIndex[],
  ) {
    this.cache = cache;
    this.layer = layer;
    this.rope = rope;
    this.tokens = tokens;
    this.graphs = graphs;
  }

  /** @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `ABORTED`. */
  static async build(cache: KvCache, options: KeyGraphOptions): Promise<KeyGraph> {
    const { rest, run } = partRunOptions('KeyGraph.build', options);
    checkOptions('KeyGraph.build', rest, ['layer', 'rope']);
    const { layer, rope } = rest;
    if (!(cache instanceof KvCache)) throw wrongType('cache', 'a KvCache', cache);
    const { kvHeads, headDim } = cache.options;
    const rotation = resolveRope(rope, headDim);
    const { tokens } = cache;
    const { keys } = await cache.reconstructAsync({ layer, to: tokens, ...run });
    const graphs: LeanIndex[] = [];
    for (let head = 0; head < kvHeads; head++) {
      const rows = new Float32Array(tokens * headDim);
      await runSteps(rotatedSteps(), run);
      graphs.push(await LeanIndex.build(rows, { dimensions: headDim, distance: 'Dot', ...run }));

      function* rotatedSteps() {
        for (let token = 0; token < tokens; token++) {
          const from = (token * kvHeads + head) * headDim;
          rows.set(keys.subarray(from, from + headDim), token * headDim);
          rotate(rotation, rows, token * headDim, token);
          if (token % 256 === 0) yield;
        }
      }
    }
    return new KeyGraph(cache, options, tokens, graphs);
  }

  /**
   * As KvCache.nearest() without the tokens that came after the graph, and approximate. Queries must
   * be behind all of its tokens, so that they see each of them.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
   */
  nearest(request: GraphRequest): NearestTokens {
    checkOptions('nearest', request, ['queries', 'positions', 'scale', 'k', 'ef']);
    const { k, ef, ...queries } = request;
    const { options } = this.cache;
    const { headDim, kvHeads } = options;
    const given = { ...queries, layer: this.layer, ...(this.rope && { rope: this.rope }) };
    const resolved = resolveQueries('nearest', given, options);
    for (const position of resolved.positions) {
      if (position >= this.tokens - 1) continue;
      throw outOfRange('positions', `at least ${this.tokens - 1}, the last token`, position);
    }
    const { numbers, rows } = queryRows(resolved, options);
    const found = noTokens(k, rows.length);
    const most = Math.min(k, this.tokens);
    if (most === 0) return found;
    for (const [row, { at }] of rows.entries()) {
      const graph = this.graphs[Math.floor((row * kvHeads) / rows.length)]!;
      const query = numbers.subarray(row * headDim, (row + 1) * headDim);
      const { ids, scores } = graph.search(query, most, ef === undefined ? {} : { ef });
      found.positions.set(ids, (at / headDim) * k);
      found.scores.set(scores, (at / headDim) * k);
    }
    return found;
  }

  /** Ends its threads. */
  async close(): Promise<void> {
    await Promise.all(this.graphs.map((graph) => graph.close()));
  }
}
