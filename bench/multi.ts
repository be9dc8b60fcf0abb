import { generateTopics } from '../datasets/generate/topics.js';
import { loadTokenSet, type TokenSet } from '../datasets/token-set.js';
import { meanOverJudged, ndcgAtK } from '../src/eval/metrics.js';
import { FdeEncoder } from '../src/fde/encoder.js';
import { LeanMultiIndex } from '../src/fde/lean-multi-index.js';
import type { FdeDimensions, LeanMultiIndexOptions } from '../src/fde/multi-options.js';
import { resolveMulti } from '../src/fde/multi-options.js';
import type { TokenBits } from '../src/fde/token-codec.js';
import { TokenStore } from '../src/fde/token-store.js';
import { describeMachine } from './machine.js';
import { table } from './markdown.js';
import {
  codeRanks,
  encodeAll,
  FILLED_MEANS,
  floatRanks,
  MEANS,
  type Needed,
  needed,
  pooledRanks,
  SIZES,
} from './multi/candidates.js';
import { type Exact, queryRows, scoreAll } from './multi/exact.js';

/**
 * Documents of several vectors: candidates that encodings need until the best document by exact MaxSim
 * is among them, as float32 and as codes, against the single-vector heuristic and pooled vectors;
 * nDCG@10 and queries/s end to end against exhaustive MaxSim; speed of encoding.
 * `npm run bench:multi [generated documents] [seeds] [largest size]`: by default 0 (the token set of
 * real texts instead), 5 and 10,240.
 */

const GENERATED = Number(process.argv[2] ?? 0);
const SEEDS = Array.from({ length: Number(process.argv[3] ?? 5) }, (_, i) => i + 1);
const SIZE_MAX = Number(process.argv[4] ?? 10_240);
/** Training for the codes of larger encodings takes a minute or more: one seed of these. */
const TRAINED_EACH_MAX = 2048;
const K = 10;
const DEPTHS = [10, 20, 30, 50, 100];
const TOKEN_BITS: readonly TokenBits[] = [32, 16, 8, 4];
const ROUNDS = 3;

const print = (text: string) => process.stdout.write(`${text}\n`);

function meanNeeded(all: readonly Needed[]): string[] {
  return [0, 1, 2].map((i) =>
    (all.reduce((sum, each) => sum + each[i]!, 0) / all.length).toFixed(1),
  );
}

async function candidateTable(set: TokenSet, exact: Exact): Promise<string> {
  const rows: string[][] = [];
  const add = (
    name: string,
    dimensions: number | string,
    bytes: number | string,
    all: Needed[],
    seconds = 0,
  ) => {
    rows.push([name, String(dimensions), String(bytes), ...meanNeeded(all)]);
    const built = seconds > 0 ? `, built in ${seconds.toFixed(0)} s` : '';
    process.stderr.write(`${rows.at(-1)!.join(' ')}${built}\n`);
  };
  add('single-vector heuristic, distinct documents', '', '', [needed(exact.heuristic)]);
  for (const isUnit of [false, true]) {
    const ranks = pooledRanks(set, exact, isUnit);
    add(`pooled mean${isUnit ? ', unit length' : ''}`, set.dimensions, set.dimensions * 4, [
      needed(ranks),
    ]);
  }
  for (const fdeDimensions of SIZES.filter((size) => size <= SIZE_MAX)) {
    const means: Needed[] = [];
    const filled: Needed[] = [];
    const floats: Needed[] = [];
    const codes: Needed[] = [];
    let [bytes, seconds] = [0, 0];
    for (const seed of SEEDS) {
      const options: LeanMultiIndexOptions = { dimensions: set.dimensions, fdeDimensions, seed };
      means.push(needed(floatRanks(exact, encodeAll(set, { ...options, fde: MEANS }))));
      filled.push(needed(floatRanks(exact, encodeAll(set, { ...options, fde: FILLED_MEANS }))));
      const encoded = encodeAll(set, options);
      floats.push(needed(floatRanks(exact, encoded)));
      if (fdeDimensions > TRAINED_EACH_MAX && seed > 1) continue;
      const coded = await codeRanks(exact, encoded, options);
      codes.push(needed(coded.ranks));
      ({ bytes, seconds } = coded);
    }
    add('plain means, empty cells filled', fdeDimensions, fdeDimensions * 4, filled);
    add('plain means', fdeDimensions, fdeDimensions * 4, means);
    add('unit-length centroids', fdeDimensions, fdeDimensions * 4, floats);
    add('the same, codes in the graph', fdeDimensions, bytes, codes, seconds);
  }
  return table(['method', 'dims', 'bytes', 'median', '90 %', '95 %'], rows);
}

/** Queries a second of the fastest of some rounds over all queries. */
function speed(set: TokenSet, run: (query: Float32Array) => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let q = 0; q < set.queries.ids.length; q++) run(queryRows(set, q));
    best = Math.min(best, performance.now() - start);
  }
  return (set.queries.ids.length * 1000) / best;
}

/** nDCG@10 of rankings of document numbers. */
function ndcg(set: TokenSet, rank: (query: Float32Array) => ArrayLike<number>): number {
  const rankings = new Map(
    set.queries.ids.map((id, q) => {
      const ranked = Array.from(rank(queryRows(set, q)), (d) => set.corpus.ids[d]!);
      return [id, ranked] as const;
    }),
  );
  return meanOverJudged(ndcgAtK, rankings, set.qrels, K).mean;
}

/** Mean share of the exact ten best that is found. */
function recall(set: TokenSet, exact: Exact, rank: (q: number) => ArrayLike<number>): number {
  const [m, n] = [set.queries.ids.length, set.corpus.ids.length];
  let found = 0;
  for (let q = 0; q < m; q++) {
    const row = exact.scores.subarray(q * n, (q + 1) * n);
    const best = new Set([...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, K));
    for (const id of Array.from(rank(q))) if (best.has(id)) found++;
  }
  return found / (m * K);
}

async function endToEnd(set: TokenSet, exact: Exact): Promise<string> {
  const { corpus, dimensions } = set;
  const rows: string[][] = [];
  for (const bits of TOKEN_BITS) {
    const store = new TokenStore({ dimensions, bits, shared: false });
    const slots = store.add(corpus.tokens, corpus.offsets);
    const rank = (query: Float32Array) => store.rank(query, slots, K).slots;
    const quality = ndcg(set, rank);
    const found = recall(set, exact, (q) => rank(queryRows(set, q)));
    const each = store.bytes / corpus.ids.length;
    const perSecond = speed(set, rank);
    rows.push(['exhaustive', '', String(bits), '', ...figures(quality, found, perSecond, each, 1)]);
    if (bits === 16) continue;
    for (const size of [640, 1280] as FdeDimensions[]) {
      const index = await LeanMultiIndex.build(corpus, {
        dimensions,
        fdeDimensions: size,
        tokenBits: bits,
      });
      const { bytesPerDocument, index: inner } = index.stats();
      const bytes = bytesPerDocument.total - inner.bytesPerVector.other;
      for (const candidates of DEPTHS) {
        const find = (query: Float32Array) => index.search(query, K, { candidates }).ids;
        const result = ndcg(set, find);
        const share = recall(set, exact, (q) => find(queryRows(set, q)));
        const fast = speed(set, find);
        const cells = figures(result, share, fast, bytes, fast / perSecond);
        rows.push(['LeanMultiIndex', String(size), String(bits), String(candidates), ...cells]);
      }
      await index.close();
    }
  }
  const head = ['', 'dims', 'token bits', 'candidates', 'nDCG@10', 'recall@10', 'queries/s'];
  return table([...head, 'times exhaustive', 'bytes a document'], rows);
}

function figures(quality: number, found: number, perSecond: number, bytes: number, ratio: number) {
  const ndcgCell = Number.isNaN(quality) ? '' : quality.toFixed(4);
  return [ndcgCell, found.toFixed(3), perSecond.toFixed(0), ratio.toFixed(1), bytes.toFixed(0)];
}

/** Documents of 60 x 128 tokens a second, one thread. */
function encoding(): string {
  const [count, length, dimensions] = [1000, 60, 128];
  const { corpus } = generateTopics({ count: 2000, queries: 1, dimensions, seed: 1 });
  const tokens = corpus.tokens.subarray(0, count * length * dimensions);
  const documents = Math.floor(tokens.length / (length * dimensions));
  const offsets = Uint32Array.from({ length: documents + 1 }, (_, i) => i * length);
  const used = tokens.subarray(0, documents * length * dimensions);
  const rows = SIZES.map((fdeDimensions) => {
    const encoder = new FdeEncoder(resolveMulti({ dimensions, fdeDimensions }).fde);
    let best = Infinity;
    for (let round = 0; round <= ROUNDS; round++) {
      const start = performance.now();
      encoder.encodeDocuments(used, offsets);
      best = Math.min(best, performance.now() - start);
    }
    return [String(fdeDimensions), Math.round((documents * 1000) / best).toLocaleString('en')];
  });
  return table(['dims', 'documents/s'], rows);
}

async function report(name: string, set: TokenSet): Promise<void> {
  const { corpus, queries } = set;
  print(
    `\n${name}: ${corpus.ids.length} documents, ${corpus.offsets.at(-1)} tokens, ` +
      `${queries.ids.length} queries, mean of ${SEEDS.length} seeds\n`,
  );
  const exact = scoreAll(set);
  print(await candidateTable(set, exact));
  print(`\nEnd to end, one thread, 10 results:\n\n${await endToEnd(set, exact)}`);
}

const { cpu, cores, node, kernel, loadAverage } = describeMachine();
print(`${cpu}, ${cores} cores (load ${loadAverage}), Node ${node}, ${kernel}\n`);
print(`Encoding documents of 60 x 128 tokens, one thread:\n\n${encoding()}`);
if (GENERATED > 0) {
  const made = generateTopics({ count: GENERATED, queries: 200, dimensions: 128, seed: 1 });
  await report('Generated, 1 … 4 topics a document', made);
} else {
  const real = loadTokenSet();
  if (real === undefined) print('\nclimate-fever-tokens128 is not there: skipped');
  else await report('climate-fever-tokens128', real);
}
