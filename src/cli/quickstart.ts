import type { Command } from 'commander';
import { table } from '../../bench/markdown.js';
import { loadQuickstart, type QuickstartSet } from '../../datasets/quickstart.js';
import { exactNeighbours } from '../eval/ground-truth.js';
import { meanOverJudged, ndcgAtK, recallAtK } from '../eval/metrics.js';
import { LeanIndex } from '../graph/lean-index.js';
import { type Latencies, measureLatencies } from './latency.js';
import { progressBar } from './progress.js';
import { keepQuickstart } from './quickstart-keep.js';

const K = 10;
/** The ground truth reaches beyond k, so that ties at the k-th place are seen. */
const TRUTH_K = 20;
const SHOWN_DOCUMENTS = 3;

interface Measured {
  ids: Uint32Array;
  ndcgAt10: number;
  recallAt10: number;
  latencies: Latencies;
  bytesPerVector: number;
}

interface Outcome {
  exact: Measured;
  leandex: Measured;
  buildSeconds: number;
}

export function addQuickstartCommand(program: Command): void {
  program
    .command('quickstart')
    .description(
      'index the real embeddings that ship with the repository, and compare with exact search',
    )
    .option('--keep <folder>', 'also make a collection of them there, to query and to serve')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(async ({ keep, json }: { keep?: string; json?: boolean }) => {
      const set = loadQuickstart();
      const outcome = await runQuickstart(set);
      process.stdout.write(
        json === true ? `${JSON.stringify(asJson(set, outcome))}\n` : asText(set, outcome),
      );
      if (keep === undefined) return;
      const next = await keepQuickstart(set, keep);
      if (json !== true)
        process.stdout.write(`\nGo on with:\n${next.map((line) => `  ${line}\n`).join('')}`);
    });
}

const EXAMPLES = `
It takes some ten seconds. The data ship with the repository, not with the npm package.

Examples:
  leandex quickstart
  leandex quickstart --keep ./data
`;

async function runQuickstart(set: QuickstartSet): Promise<Outcome> {
  const { corpus, queries, dimensions } = set;
  const truth = exactNeighbours(corpus, queries, dimensions, TRUTH_K, 'Cosine');
  const common = { dimensions, distance: 'Cosine' as const };
  const exactIndex = await LeanIndex.build(corpus, { ...common, exactBelow: 1_000_000 });
  const bar = progressBar();
  const started = performance.now();
  const index = await LeanIndex.build(corpus, { ...common, onProgress: bar.update });
  const buildSeconds = (performance.now() - started) / 1000;
  bar.stop();
  const measure = (measured: LeanIndex): Measured => {
    const { ids, latencies } = measureLatencies(measured, queries, K);
    return {
      ids,
      ndcgAt10: ndcg(set, ids),
      recallAt10: recallAtK(ids, truth, K),
      latencies,
      bytesPerVector: measured.stats().bytesPerVector.total,
    };
  };
  return { exact: measure(exactIndex), leandex: measure(index), buildSeconds };
}

function ndcg(set: QuickstartSet, ids: Uint32Array): number {
  const rankings = new Map(
    set.queryTexts.map(({ id }, q) => [
      id,
      Array.from(ids.subarray(q * K, (q + 1) * K), (row) => set.documents[row]!.id),
    ]),
  );
  return meanOverJudged(ndcgAtK, rankings, set.qrels, K).mean;
}

function asJson(set: QuickstartSet, { exact, leandex, buildSeconds }: Outcome) {
  return {
    recallAt10: leandex.recallAt10,
    ndcgAt10: { exact: exact.ndcgAt10, leandex: leandex.ndcgAt10 },
    queriesPerSecond: {
      exact: exact.latencies.queriesPerSecond,
      leandex: leandex.latencies.queriesPerSecond,
    },
    latencyMs: {
      exact: { p50: exact.latencies.p50Ms, p99: exact.latencies.p99Ms },
      leandex: { p50: leandex.latencies.p50Ms, p99: leandex.latencies.p99Ms },
    },
    bytesPerVector: { float32: set.dimensions * 4, leandex: leandex.bytesPerVector },
    buildSeconds,
  };
}

function asText(set: QuickstartSet, { exact, leandex, buildSeconds }: Outcome): string {
  const row = (name: string, measured: Measured, build: string) => [
    name,
    measured.recallAt10.toFixed(3),
    measured.ndcgAt10.toFixed(4),
    Math.round(measured.latencies.queriesPerSecond).toLocaleString('en-US'),
    measured.latencies.p50Ms.toFixed(3),
    measured.latencies.p99Ms.toFixed(3),
    Math.round(measured.bytesPerVector).toString(),
    build,
  ];
  const head = [
    '',
    'recall@10',
    'nDCG@10',
    'queries/s',
    'p50 ms',
    'p99 ms',
    'bytes/vector',
    'build s',
  ];
  const rows = [row('exact float32', exact, '-'), row('leandex', leandex, buildSeconds.toFixed(2))];
  const count = set.documents.length.toLocaleString('en-US');
  return [
    `${count} WordNet glosses, all-MiniLM-L6-v2, ${set.dimensions} dimensions; one thread`,
    '',
    table(head, rows),
    ...demoAnswers(set, leandex.ids),
    '',
  ].join('\n');
}

function demoAnswers(set: QuickstartSet, ids: Uint32Array): string[] {
  const lines: string[] = [];
  set.queryTexts.forEach(({ id, text }, q) => {
    if (!id.startsWith('demo-')) return;
    lines.push('', text);
    for (const row of ids.subarray(q * K, q * K + SHOWN_DOCUMENTS)) {
      const { title, text: gloss } = set.documents[row]!;
      lines.push(`  ${title}: ${gloss}`);
    }
  });
  return lines;
}
