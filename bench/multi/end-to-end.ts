import type { TokenSet } from '../../datasets/token-set.js';
import { meanOverJudged, ndcgAtK } from '../../src/eval/metrics.js';
import { LeanMultiIndex } from '../../src/fde/lean-multi-index.js';
import type { FdeDimensions } from '../../src/fde/multi-options.js';
import type { TokenBits } from '../../src/fde/token-codec.js';
import { TokenStore } from '../../src/fde/token-store.js';
import { median, percentile } from '../statistics.js';
import { type Exact, K, queryRows, recallAt } from './exact.js';

/** What is measured, and how often. */
export interface EndToEndPlan {
  /** Bits of the tokens of exhaustive rankings, and of indexes by the sizes of their encodings. */
  readonly exhaustive: readonly TokenBits[];
  readonly sizes: Readonly<Partial<Record<TokenBits, readonly FdeDimensions[]>>>;
  readonly candidates: readonly number[];
  readonly rounds: number;
}

const WHOLE: EndToEndPlan = {
  exhaustive: [32, 16, 8, 4],
  sizes: { 32: [1280], 8: [1280], 4: [640, 1280, 2560] },
  candidates: [10, 20, 30, 50, 100, 200],
  rounds: 5,
};

/** One way to answer queries, on one thread. */
export interface EndToEndFigures {
  method: 'exhaustive' | 'LeanMultiIndex';
  fdeDimensions: FdeDimensions | undefined;
  tokenBits: TokenBits;
  candidates: number | undefined;
  /** Undefined without judgements. */
  ndcgAt10: number | undefined;
  recallAt10: number;
  queriesPerSecond: number;
  /** Milliseconds of a query. */
  p50: number;
  p99: number;
  /** Queries/s over those of the exhaustive ranking of the same tokens, measured in turn with it. */
  timesExhaustive: number;
  /** Tokens, codes and links. */
  bytesPerDocument: number;
}

type Find = (query: Float32Array) => Uint32Array;

/** What is measured in turn with others. */
interface Entrant {
  name: Pick<EndToEndFigures, 'method' | 'fdeDimensions' | 'tokenBits' | 'candidates'>;
  bytesPerDocument: number;
  find: Find;
}

export async function measureEndToEnd(
  set: TokenSet,
  exact: Exact,
  onFigures: (figures: EndToEndFigures) => void,
  plan: EndToEndPlan = WHOLE,
): Promise<EndToEndFigures[]> {
  const all: EndToEndFigures[] = [];
  for (const tokenBits of plan.exhaustive) {
    const indexes: LeanMultiIndex[] = [];
    const entrants = [exhaustive(set, tokenBits)];
    for (const size of plan.sizes[tokenBits] ?? []) {
      const { dimensions } = set;
      const options = { dimensions, fdeDimensions: size, tokenBits };
      const index = await LeanMultiIndex.build(set.corpus, options);
      indexes.push(index);
      entrants.push(...plan.candidates.map((most) => indexed(index, size, tokenBits, most)));
    }
    for (const figures of inTurn(set, exact, entrants, plan.rounds)) {
      all.push(figures);
      onFigures(figures);
    }
    for (const index of indexes) await index.close();
  }
  return all;
}

function exhaustive({ corpus, dimensions }: TokenSet, tokenBits: TokenBits): Entrant {
  const store = new TokenStore({ dimensions, bits: tokenBits, shared: false });
  const slots = store.add(corpus.tokens, corpus.offsets);
  return {
    name: { method: 'exhaustive', fdeDimensions: undefined, tokenBits, candidates: undefined },
    bytesPerDocument: store.bytes / corpus.ids.length,
    find: (query) => store.rank(query, slots, K).slots,
  };
}

function indexed(
  index: LeanMultiIndex,
  fdeDimensions: FdeDimensions,
  tokenBits: TokenBits,
  candidates: number,
): Entrant {
  const { bytesPerDocument, index: inner } = index.stats();
  return {
    name: { method: 'LeanMultiIndex', fdeDimensions, tokenBits, candidates },
    // The model is of one size for any number of documents.
    bytesPerDocument: bytesPerDocument.total - inner.bytesPerVector.other,
    find: (query) => index.search(query, K, { candidates }).ids,
  };
}

/** Rounds over all entrants, the first of which is what the others are compared with. */
function inTurn(
  set: TokenSet,
  exact: Exact,
  entrants: readonly Entrant[],
  rounds: number,
): EndToEndFigures[] {
  const queries = set.queries.ids.map((_, q) => queryRows(set, q));
  const lists = entrants.map(({ find }) => queries.map((query) => find(query)));
  const times = entrants.map(() => [] as Float64Array[]);
  for (let round = 0; round < rounds; round++) {
    entrants.forEach(({ find }, e) => {
      times[e]!.push(Float64Array.from(queries, (query) => timeOf(() => find(query))));
    });
  }
  const total = (round: Float64Array) => round.reduce((sum, ms) => sum + ms, 0);
  return entrants.map(({ name, bytesPerDocument }, e) => {
    const ratios = times[e]!.map((round, r) => total(times[0]![r]!) / total(round));
    const each = times[e]!.map((round) => round.toSorted());
    return {
      ...name,
      ndcgAt10: ndcgOf(set, lists[e]!),
      recallAt10: recallAt(exact, lists[e]!, K),
      queriesPerSecond: (1000 * queries.length) / median(times[e]!.map(total)),
      p50: median(each.map((sorted) => percentile(sorted, 0.5))),
      p99: median(each.map((sorted) => percentile(sorted, 0.99))),
      timesExhaustive: median(ratios),
      bytesPerDocument,
    };
  });
}

function timeOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function ndcgOf(set: TokenSet, lists: readonly Uint32Array[]): number | undefined {
  if (set.qrels.size === 0) return undefined;
  const rankings = new Map(
    set.queries.ids.map((id, q) => {
      return [id, Array.from(lists[q]!, (d) => set.corpus.ids[d]!)] as const;
    }),
  );
  return meanOverJudged(ndcgAtK, rankings, set.qrels, K).mean;
}
