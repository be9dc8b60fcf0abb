import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../../datasets/package-folder.js';
import type { Machine } from '../machine.js';
import { table } from '../markdown.js';
import { type CandidateFigures, DEPTHS } from './candidates.js';
import type { EncodingFigures } from './encoding.js';
import type { EndToEndFigures } from './end-to-end.js';
import { drawCandidates, drawEndToEnd } from './plot.js';

/** What is written of one set of documents. */
export interface MultiResult {
  name: string;
  date: string;
  commit: string | null;
  machine: Machine;
  documents: number;
  tokens: number;
  queries: number;
  dimensions: number;
  candidates: CandidateFigures[];
  endToEnd: EndToEndFigures[];
  encoding: EncodingFigures[];
}

/** Writes multi-<name>.json, .md and two plots into bench/results, and gives the Markdown. */
export async function writeResult(result: MultiResult): Promise<string> {
  const folder = join(packageFolder(), 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const write = (end: string, text: string) =>
    writeFileSync(join(folder, `multi-${result.name}${end}`), text);
  const text = toMarkdown(result);
  write('.json', `${JSON.stringify(result, null, 1)}\n`);
  write('.md', text);
  write('-candidates.svg', await drawCandidates(result));
  write('-end-to-end.svg', await drawEndToEnd(result));
  return text;
}

function toMarkdown(result: MultiResult): string {
  const { name, machine, documents, tokens, queries, dimensions, date } = result;
  const { cpu, cores, node, kernel, loadAverage } = machine;
  return `# Documents of several vectors: ${name}

${documents} documents, ${tokens} tokens of ${dimensions} numbers, ${queries} queries. ${cpu}, ${cores} cores (load
${loadAverage}), Node ${node}, ${kernel}, ${date.slice(0, 10)}.

Candidates until the best document by exact MaxSim is among them (median, 90 % and 95 % of the queries), and
recall@10 of the exact ten best among so many candidates; means over seeds:

${candidateTable(result.candidates)}

End to end, 10 results, one thread, medians of rounds in turn:

${endToEndTable(result.endToEnd)}

Encoding documents of 60 x 128 tokens, one thread:

${table(
  ['dims', 'documents/s'],
  result.encoding.map(({ fdeDimensions, documentsPerSecond }) => [
    String(fdeDimensions),
    Math.round(documentsPerSecond).toLocaleString('en'),
  ]),
)}
`;
}

function candidateTable(figures: readonly CandidateFigures[]): string {
  const depths = DEPTHS.map((depth) => `recall in ${depth}`);
  const head = ['method', 'dims', 'bytes', 'seeds', 'median', '90 %', '95 %', ...depths];
  const rows = figures.map(({ method, dimensions, bytes, seeds, needed, recall }) => [
    ...[method, String(dimensions ?? ''), String(bytes ?? ''), String(seeds)],
    ...needed.map((count) => count.toFixed(1)),
    ...recall.map((share) => share.toFixed(3)),
  ]);
  return table(head, rows);
}

function endToEndTable(figures: readonly EndToEndFigures[]): string {
  const head = [
    ...['', 'dims', 'token bits', 'candidates', 'nDCG@10', 'recall@10'],
    ...['queries/s', 'p50 ms', 'p99 ms', 'times exhaustive', 'bytes a document'],
  ];
  const rows = figures.map((each) => [
    ...[each.method, String(each.fdeDimensions ?? ''), String(each.tokenBits)],
    ...[String(each.candidates ?? ''), each.ndcgAt10?.toFixed(4) ?? '', each.recallAt10.toFixed(3)],
    ...[each.queriesPerSecond.toFixed(0), each.p50.toFixed(2), each.p99.toFixed(2)],
    ...[each.timesExhaustive.toFixed(1), each.bytesPerDocument.toFixed(0)],
  ]);
  return table(head, rows);
}
