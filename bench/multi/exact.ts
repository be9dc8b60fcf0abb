import type { TokenSet } from '../../datasets/token-set.js';
import { Kernels } from '../../src/kernels/index.js';

/** Columns of a panel of the matrix product (wasm/matrix.ts). */
const PANEL = 8;

/** What exhaustive scoring of all queries gives. */
export interface Exact {
  /** queries x documents: MaxSim. */
  scores: Float32Array;
  /** The best document of each query. */
  best: Uint32Array;
  /**
   * The candidates of the single-vector heuristic that are needed to meet the best document, for each
   * query: the nearest tokens of each query token in turn, documents counted once.
   */
  heuristic: Uint32Array;
}

/** The token rows of query i. */
export function queryRows({ queries, dimensions }: TokenSet, i: number): Float32Array {
  const { tokens, offsets } = queries;
  return tokens.subarray(offsets[i]! * dimensions, offsets[i + 1]! * dimensions);
}

/** MaxSim of each query with each document from float32 products, and the heuristic's candidates. */
export function scoreAll(set: TokenSet): Exact {
  const { corpus, queries, dimensions } = set;
  const [m, n] = [queries.ids.length, corpus.ids.length];
  const tokens = corpus.offsets[n]!;
  const kernels = new Kernels();
  const panels = packRows(kernels, corpus.tokens, tokens, dimensions);
  const stride = panels.count * PANEL;
  const longest = Math.max(...Array.from({ length: m }, (_, i) => queryRows(set, i).length));
  const rows = kernels.alloc(longest * 4);
  const products = kernels.alloc((longest / dimensions) * stride * 4);
  const list = kernels.alloc((tokens + 1) * 8);
  const [ids, distances] = [kernels.alloc(tokens * 4), kernels.alloc(tokens * 4)];
  const documentOf = new Uint32Array(tokens);
  for (let d = 0; d < n; d++) documentOf.fill(d, corpus.offsets[d]!, corpus.offsets[d + 1]!);
  const scores = new Float32Array(m * n);
  const best = new Uint32Array(m);
  const heuristic = new Uint32Array(m);
  for (let q = 0; q < m; q++) {
    const query = queryRows(set, q);
    const size = query.length / dimensions;
    kernels.f32(rows, query.length).set(query);
    const { pointer, count } = panels;
    kernels.call.multiplyPanels(
      rows,
      dimensions,
      size,
      dimensions,
      pointer,
      count,
      products,
      stride,
    );
    const own = scores.subarray(q * n, (q + 1) * n);
    const bestOf = (t: number, d: number) => {
      const row = kernels.f32(products + t * stride * 4, tokens);
      let most = -Infinity;
      for (let p = corpus.offsets[d]!; p < corpus.offsets[d + 1]!; p++) {
        if (row[p]! > most) most = row[p]!;
      }
      return most;
    };
    for (let t = 0; t < size; t++) for (let d = 0; d < n; d++) own[d]! += bestOf(t, d);
    for (let d = 1; d < n; d++) if (own[d]! > own[best[q]!]!) best[q] = d;
    // The first round in which one of its tokens is among the nearest of a query token.
    let round = tokens;
    for (let t = 0; t < size; t++) {
      const row = kernels.f32(products + t * stride * 4, tokens);
      const own = bestOf(t, best[q]!);
      let rank = 1;
      for (let p = 0; p < tokens; p++) if (row[p]! > own) rank++;
      round = Math.min(round, rank);
    }
    const met = new Set<number>();
    for (let t = 0; t < size; t++) {
      const at = products + t * stride * 4;
      const row = kernels.f32(at, tokens);
      for (let p = 0; p < tokens; p++) row[p] = -row[p]!;
      kernels.call.topK(at, tokens, 0, round, list, 0);
      kernels.call.readKeys(list, round, ids, distances);
      for (const id of kernels.u32(ids, round)) met.add(documentOf[id]!);
    }
    heuristic[q] = met.size;
  }
  return { scores, best, heuristic };
}

/** Rows as columns in panels. */
function packRows(kernels: Kernels, rows: Float32Array, count: number, dimensions: number) {
  const panels = Math.ceil(count / PANEL);
  const pointer = kernels.alloc(panels * dimensions * PANEL * 4);
  const floats = kernels.f32(pointer, panels * dimensions * PANEL);
  for (let r = 0; r < count; r++) {
    const at = Math.floor(r / PANEL) * dimensions * PANEL + (r % PANEL);
    for (let i = 0; i < dimensions; i++) floats[at + i * PANEL] = rows[r * dimensions + i]!;
  }
  return { pointer, count: panels };
}

/** <a_i, b_j> of the rows of two matrices, one row of the result for each of a's. */
export function productsOf(a: Float32Array, b: Float32Array, dimensions: number): Float32Array {
  const kernels = new Kernels();
  const [m, n] = [a.length / dimensions, b.length / dimensions];
  const panels = packRows(kernels, b, n, dimensions);
  const stride = panels.count * PANEL;
  const rows = kernels.copyF32(a);
  const out = kernels.alloc(m * stride * 4);
  const { pointer, count } = panels;
  kernels.call.multiplyPanels(rows, dimensions, m, dimensions, pointer, count, out, stride);
  const products = new Float32Array(m * n);
  for (let r = 0; r < m; r++) products.set(kernels.f32(out + r * stride * 4, n), r * n);
  return products;
}
