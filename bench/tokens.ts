import { loadTokenSet, type TokenSet, type TokenTexts } from '../datasets/token-set.js';
import { drain } from '../src/base/steps.js';
import { meanOverJudged, ndcgAtK } from '../src/eval/metrics.js';
import { poolSteps } from '../src/fde/pooling.js';
import { TOKEN_BITS, type TokenBits } from '../src/fde/token-codec.js';
import { TokenStore } from '../src/fde/token-store.js';
import { describeMachine } from './machine.js';
import { table } from './markdown.js';

/**
 * Exhaustive MaxSim on climate-fever-tokens128: nDCG@10, bytes and speed of tokens stored in 32, 16, 8
 * and 4 bits, and of pooled tokens; seconds are those of the processor. `npm run bench:tokens`.
 */

const K = 10;
const RATIOS = [2, 3, 4];
const METHODS = ['hierarchical', 'k-means'] as const;

interface Outcome {
  readonly ndcg: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly pairsPerSecond: number;
  readonly queriesPerSecond: number;
}

function measure(
  set: TokenSet,
  documents: Pick<TokenTexts, 'tokens' | 'offsets'>,
  bits: TokenBits,
): Outcome {
  const { dimensions, corpus, queries, qrels } = set;
  const store = new TokenStore({ dimensions, bits, shared: false });
  const slots = store.add(documents.tokens, documents.offsets);
  const rankings = new Map<string, string[]>();
  const rowsOf = (i: number) =>
    queries.tokens.subarray(queries.offsets[i]! * dimensions, queries.offsets[i + 1]! * dimensions);
  store.maxSim(rowsOf(0), slots);
  let pairs = 0;
  const start = process.cpuUsage();
  for (const [i, id] of queries.ids.entries()) {
    const scores = store.maxSim(rowsOf(i), slots);
    const best = [...slots.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, K);
    rankings.set(
      id,
      best.map((at) => corpus.ids[at]!),
    );
    pairs += (rowsOf(i).length / dimensions) * documents.offsets.at(-1)!;
  }
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return {
    ndcg: meanOverJudged(ndcgAtK, rankings, qrels, K).mean,
    tokens: documents.offsets.at(-1)!,
    bytes: store.recordBytes,
    pairsPerSecond: pairs / seconds,
    queriesPerSecond: queries.ids.length / seconds,
  };
}

function row(what: string, { ndcg, tokens, bytes, pairsPerSecond, queriesPerSecond }: Outcome) {
  return [
    what,
    ndcg.toFixed(4),
    String(tokens),
    String(bytes),
    (pairsPerSecond / 1e6).toFixed(1),
    queriesPerSecond.toFixed(1),
  ];
}

const set = loadTokenSet();
if (set === undefined) {
  process.stdout.write('climate-fever-tokens128 and climate-fever-sents are not there: skipped\n');
} else {
  const { corpus, dimensions } = set;
  const rows = TOKEN_BITS.map((bits) => row(`${bits} bits`, measure(set, corpus, bits)));
  for (const method of METHODS) {
    for (const ratio of RATIOS) {
      const options = { dimensions, ratio, method };
      const start = process.cpuUsage();
      const pooled = drain(poolSteps(corpus.tokens, corpus.offsets, options));
      const { user, system } = process.cpuUsage(start);
      const perSecond = corpus.ids.length / ((user + system) / 1e6);
      const what = `${method}, ratio ${ratio} (${perSecond.toFixed(0)} documents/s)`;
      rows.push(row(`32 bits, ${what}`, measure(set, pooled, 32)));
    }
  }
  const head = ['tokens', 'nDCG@10', 'stored', 'bytes each', 'million pairs/s', 'queries/s'];
  process.stdout.write(`${JSON.stringify(describeMachine())}\n\n${table(head, rows)}\n`);
}
