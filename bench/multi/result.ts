import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../../datasets/package-folder.js';
import type { Machine } from '../machine.js';
import type { CandidateFigures } from './candidates.js';
import type { EncodingFigures } from './encoding.js';
import type { EndToEndFigures } from './end-to-end.js';
import { drawCandidates, drawEndToEnd } from './plot.js';
import { candidateTable, encodingTable, endToEndTable } from './tables.js';

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

${encodingTable(result.encoding)}
`;
}
