import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { LeandexError } from '../src/base/errors.js';
import { RECALL_LEVELS } from './frontier.js';
import { table } from './markdown.js';
import type { CaseResult, ContenderResult } from './result.js';
import { renderTask } from './suite/markdown.js';
import type { SuiteResult } from './suite/result.js';
import { allThreadsTable, ratioTable, summaryTable } from './table.js';

/**
 * A table of the documentation, written from a result file: `<!-- table <kind> <file> … -->` before
 * it and `<!-- end of table -->` behind it. The words after the file are `only=a,b` or `without=a,b`,
 * parts of names of contenders, or for `task` the name of the task.
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

function make(kind: string, files: readonly string[], rest: string): string {
  const result = read(files[0]);
  switch (kind) {
    case 'summary':
      return summaryTable(chosen(result as CaseResult, rest).contenders);
    case 'ratios':
      return ratioTable(chosen(result as CaseResult, rest));
    case 'all-threads':
      return allThreadsTable(chosen(result as CaseResult, rest));
    case 'overview':
      return overview(files.map((file) => chosen(read(file) as CaseResult, rest)));
    case 'task':
      return taskOf(result as SuiteResult, rest);
    default:
      throw new LeandexError('INTERNAL', `a table of the documentation has the kind ${kind}`);
  }
}

function read(file: string): CaseResult | SuiteResult {
  return JSON.parse(readFileSync(join(packageFolder(), RESULTS, file), 'utf8'));
}

/** The result with the chosen contenders alone; ratios are still against all that took part. */
function chosen(result: CaseResult, rest: string): CaseResult {
  const wordsOf = (key: string) =>
    new RegExp(`${key}=([^=]+?)(?= \\w+=|$)`).exec(rest)?.[1].split(',') ?? [];
  const [only, without] = [wordsOf('only'), wordsOf('without')];
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

/** `npm run bench:docs` writes the tables of docs/benchmarks.md anew. */
export function writeDocs(): void {
  const path = join(packageFolder(), 'docs', 'benchmarks.md');
  writeFileSync(path, withTables(readFileSync(path, 'utf8')));
}

if (process.argv[1] === import.meta.filename) writeDocs();
