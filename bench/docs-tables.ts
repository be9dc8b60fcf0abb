import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { LeandexError } from '../src/base/errors.js';
import { render, type Verified } from './advise/verify.js';
import { filterTable, ingestionTable } from './collections/result.js';
import { growthTable } from './docs/growth.js';
import { kvContestTable, kvPerplexityTable, kvSpeedTable } from './docs/kv.js';
import { hasPart } from './docs/parts.js';
import { serverShareLine, serverTable, soakTable } from './docs/server.js';
import { RECALL_LEVELS } from './frontier.js';
import { GOAL_PARTS } from './goals/result.js';
import { goalsTable } from './goals/verdicts.js';
import { type KernelResult, kernelTable } from './kernels/result.js';
import { changeoverTable, decompositionTable } from './linalg/result.js';
import { table } from './markdown.js';
import type { MultiResult } from './multi/result.js';
import { candidateTable, encodingTable, endToEndTable } from './multi/tables.js';
import type { CaseResult, ContenderResult } from './result.js';
import { settingBytesTable, settingsTable } from './settings/result.js';
import { stampSentence } from './stamped.js';
import { renderTask } from './suite/markdown.js';
import type { SuiteResult } from './suite/result.js';
import { briefTable } from './suite/summary.js';
import { allThreadsTable, ratioTable, summaryTable } from './table.js';

/**
 * A table of the documentation, written from a result file: `<!-- table <kind> <file> … -->` before
 * it and `<!-- end of table -->` behind it. The words after the files (`a.json,b.json`) are `only=a,b`
 * or `without=a,b`, parts of names of contenders, or the name of the task, group or part.
 */
const TABLE = /<!-- table (\S+) (\S+)([^\n]*?) -->\n[\s\S]*?<!-- end of table -->/g;

const RESULTS = join('bench', 'results');

/**
 * The text with every table of the kinds below as its result file has it.
 * @throws LeandexError `INTERNAL` for an unknown kind, `NOT_FOUND` for an unknown task.
 */
export function withTables(text: string): string {
  return text.replaceAll(TABLE, (_, kind: string, files: string, rest: string) => {
    const made = make(kind, files.split(','), rest.trim());
    return `<!-- table ${kind} ${files}${rest} -->\n\n${made}\n\n<!-- end of table -->`;
  });
}

/** The words behind a table's files, and the results in these. */
type Make = (results: readonly never[], rest: string) => string;

const KINDS: Readonly<Record<string, Make>> = {
  summary: ([result], rest) => summaryTable(chosen(result, rest).contenders),
  ratios: ([result], rest) => ratioTable(chosen(result, rest)),
  'all-threads': ([result], rest) => allThreadsTable(chosen(result, rest)),
  overview: (results, rest) => overview(results.map((result) => chosen(result, rest))),
  task: ([result], rest) => taskOf(result, rest),
  brief: ([result]) => briefTable((result as SuiteResult).tasks)!,
  stamp: ([result]) => stampSentence(result!),
  goals: ([goals, ...cases]) => goalsTable(goals!, cases),
  'goals-part': ([goals], rest) => partOf(GOAL_PARTS, rest)(goals!),
  growth: (results) => growthTable(results),
  settings: ([result], rest) => settingsTable(result!, rest),
  'settings-bytes': ([result], rest) => settingBytesTable(result!, rest),
  linalg: ([result]) => decompositionTable(result!),
  changeover: ([result]) => changeoverTable(result!),
  kernels: ([result], rest) => kernelTable(onlyKernels(result!, wordsOf('only', rest))),
  ingestion: ([result]) => ingestionTable(result!),
  'collection-filters': ([result]) => filterTable(result!),
  advise: ([result]) => render((result as { results: Verified[] }).results),
  kv: ([result], rest) =>
    kvContestTable(result!, { runs: wordsOf('runs', rest), methods: wordsOf('methods', rest) }),
  'kv-speed': ([result]) => kvSpeedTable(result!),
  'kv-perplexity': ([result]) => kvPerplexityTable(result!),
  'multi-candidates': ([result], rest) =>
    candidateTable((result as MultiResult).candidates, numbersOf('depths', rest)),
  'multi-end-to-end': ([result], rest) => endToEndTable(fewCandidates(result!, rest)),
  'multi-encoding': ([result]) => encodingTable((result as MultiResult).encoding),
  server: ([result]) => `${serverTable(result!)}\n\n${serverShareLine(result!)}`,
  soak: ([result]) => soakTable(result!),
};

function make(kind: string, files: readonly string[], rest: string): string {
  const write = KINDS[kind];
  if (write !== undefined) return write(files.map(read), rest);
  throw new LeandexError('INTERNAL', `a table of the documentation has the kind ${kind}`);
}

/** Results are what their commands wrote; each kind knows the form of its own. */
function read(file: string): never {
  return JSON.parse(readFileSync(join(packageFolder(), RESULTS, file), 'utf8')) as never;
}

function partOf<T>(parts: Readonly<Record<string, T>>, name: string): T {
  const part = parts[name];
  if (part !== undefined) return part;
  throw new LeandexError(
    'NOT_FOUND',
    `no part ${name}: there are ${Object.keys(parts).join(', ')}`,
  );
}

/** `key=a,b` in the words behind a table's files. */
function wordsOf(key: string, rest: string): string[] {
  return new RegExp(`${key}=([^=]+?)(?= \\w+=|$)`).exec(rest)?.[1].split(',') ?? [];
}

const numbersOf = (key: string, rest: string) => wordsOf(key, rest).map(Number);

function onlyKernels({ variants, rows }: KernelResult, names: readonly string[]) {
  return { variants, rows: rows.filter(({ name }) => hasPart(name, names)) };
}

/** Exhaustive search, and searches with so many candidates. */
function fewCandidates({ endToEnd }: MultiResult, rest: string) {
  const wanted = numbersOf('candidates', rest);
  return endToEnd.filter(
    ({ candidates }) => candidates === undefined || wanted.includes(candidates),
  );
}

/** The result with the chosen contenders alone; ratios are still against all that took part. */
function chosen(result: CaseResult, rest: string): CaseResult {
  const [only, without] = [wordsOf('only', rest), wordsOf('without', rest)];
  const isChosen = ({ name }: ContenderResult) =>
    (only.length === 0 || only.includes(name)) && !without.some((part) => name.includes(part));
  const isKept = ({ contender }: CaseResult['ratios'][number]) =>
    isChosen(result.contenders[contender]);
  const kept = result.contenders.filter(isChosen);
  const placed = result.ratios.filter(isKept).map((ratio) => ({
    ...ratio,
    contender: kept.indexOf(result.contenders[ratio.contender]),
  }));
  return { ...result, contenders: kept, ratios: placed };
}

/** Ratios of the first contender that was kept, a result below another. */
function overview(results: readonly CaseResult[]): string {
  const times = (value: number | null) => (value === null ? '-' : `${value.toFixed(1)}x`);
  return table(
    ['set', 'against the best of', 'queries/s at 0.90', '0.95', '0.98', '0.99', 'build', 'memory'],
    results.flatMap(({ case: name, ratios }) =>
      ratios.map(({ opponent, qps, build, memory }) => [
        ...[name, opponent, ...RECALL_LEVELS.map((level) => times(qps[level]))],
        ...[times(build), times(memory)],
      ]),
    ),
  );
}

function taskOf({ tasks }: SuiteResult, name: string): string {
  const task = tasks.find((each) => each.name === name);
  if (task !== undefined) return renderTask(task);
  throw new LeandexError('NOT_FOUND', `no task ${name} in the result file`);
}

/** The pages of the documentation, the readme among them. */
export function docsPages(): string[] {
  const folder = join(packageFolder(), 'docs');
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return [...names.map((name) => join(folder, name)), join(packageFolder(), 'README.md')];
}

/** `npm run bench:docs` writes the tables of all pages anew. */
export function writeDocs(): void {
  for (const path of docsPages()) {
    const text = readFileSync(path, 'utf8');
    const written = withTables(text);
    if (written !== text) writeFileSync(path, written);
  }
}

if (process.argv[1] === import.meta.filename) writeDocs();
