import { DISTANCES } from '../../src/base/distance.js';
import type { DataInfo } from '../data.js';
import { table, whole } from '../markdown.js';
import { renderResult } from '../table.js';
import type {
  ChurnResult,
  FilteredResult,
  IrResult,
  KvResult,
  MultiTaskResult,
  SuiteResult,
  TaskResult,
} from './result.js';
import { briefTable } from './summary.js';

/** A suite's result as Markdown: report.md. */
export function renderMarkdown(result: SuiteResult): string {
  const parts = result.tasks.map((task) => `## ${titleOf(task)}\n\n${renderTask(task)}`);
  return `${[renderHead(result), ...parts].join('\n\n')}\n`;
}

/** What stands before the tasks: with what they were measured, what is missing, and the figures in short. */
export function renderHead(result: SuiteResult): string {
  const { suite, description, date, commit, machine, versions, skipped, failed } = result;
  const { cpu, cores, memoryGiB, node, platform, kernel, loadAverage } = machine;
  const head = [
    `# leandex bench: ${suite}`,
    oneLine(description),
    [
      `- ${date}, commit ${commit ?? 'unknown'}`,
      `- ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}, ${kernel}`,
      `- load average at the start ${loadAverage}${loadAverage > cores ? BUSY : ''}`,
      `- versions: ${entries(versions)}`,
      ...skipped.map(({ task, reason }) => `- skipped: ${task}, ${oneLine(reason)}`),
      ...failed.map(({ task, reason }) => `- FAILED: ${task}, ${oneLine(reason)}`),
    ].join('\n'),
  ];
  const summary = briefTable(result.tasks);
  const brief = summary === undefined ? [] : [`${SUMMARY_TEXT}\n\n${summary}`];
  return [...head, ...brief].join('\n\n');
}

/** What others wrote must not look like a part of the report. */
function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

/** Times then tell more of the machine than of what was measured. */
const BUSY =
  ', more than there are cores: others were at work; read no times, and ratios with care';

const SUMMARY_TEXT =
  'In short; "2x" says that leandex is twice as fast, or takes half of the memory.';

const KINDS: Readonly<Record<TaskResult['kind'], string>> = {
  ann: 'recall and speed',
  ir: 'judged by qrels',
  filtered: 'filtered',
  churn: 'deleted, added and replaced',
  multi: 'several vectors a document',
  kv: 'KV-cache',
};

/** What the report calls a task. */
export function titleOf({ kind, name }: TaskResult): string {
  return `${name}: ${KINDS[kind]}`;
}

/** The tables of a task, below its title. */
export function renderTask(task: TaskResult): string {
  switch (task.kind) {
    case 'ann':
      return task.results
        .map((result) => `### recall@${result.k}\n\n${renderResult(result).trimEnd()}`)
        .join('\n\n');
    case 'ir':
      return renderIr(task);
    case 'filtered':
      return renderFiltered(task);
    case 'churn':
      return renderChurn(task);
    case 'multi':
      return renderMulti(task);
    case 'kv':
      return renderKv(task);
  }
}

/** Scores of exact search, of every contender and beam width, and the funnel. */
function renderIr({ result, funnel, ef }: IrResult): string {
  const exact = DISTANCES.map((distance) => {
    const scores = result.exact![distance];
    return [`exact, ${distance}`, '-', '-', ...scoresOf(scores), '-', '-'];
  });
  const searched = result.contenders.flatMap(({ name, points }) =>
    points.map((point) => [
      ...[name, String(point.ef), point.recall.toFixed(4), ...scoresOf(point.task!)],
      ...[whole(point.qps), point.p99.toFixed(0)],
    ]),
  );
  return [
    dataLine(result.data, result.distance),
    table(
      ['', 'ef', 'recall@100', 'nDCG@10', 'Recall@100', 'MRR@10', 'queries/s', 'p99 µs'],
      [...exact, ...searched],
    ),
    `Where nDCG@10 is lost, at ef ${ef}; recall@100 is against exact search, Recall@100 by judgements.`,
    table(
      ['stage', 'by', 'nDCG@10', 'lost'],
      funnel.map(({ stage, by, ndcgAt10, lost }) => [stage, by, points(ndcgAt10), points(lost)]),
    ),
  ].join('\n\n');
}

function scoresOf(scores: { ndcgAt10: number; recallAt100: number; mrrAt10: number }): string[] {
  return [scores.ndcgAt10, scores.recallAt100, scores.mrrAt10].map(points);
}

function renderFiltered({ data, task, contenders, skipped }: FilteredResult): string {
  return [
    dataLine(data, task.distance),
    `k 10, ef ${task.ef}, seed ${task.seed}. "Far" allows what is least like the queries.`,
    table(
      ['contender', 'allowed', 'which', 'recall@10', 'complete', 'queries/s', 'p50 µs', 'p99 µs'],
      contenders.flatMap(({ name, points: measured }) =>
        measured.map((point) => [
          ...[name, `${percent(point.share)} (${whole(point.allowed)})`],
          ...[point.far ? 'far' : 'at random', point.recall.toFixed(4), percent(point.complete)],
          ...[whole(point.qps), point.p50.toFixed(1), point.p99.toFixed(1)],
        ]),
      ),
    ),
    ...skippedLines(skipped),
  ].join('\n\n');
}

function renderChurn({ data, task, contenders, skipped }: ChurnResult): string {
  return [
    dataLine(data, task.distance),
    `k 10, ef ${task.ef}, seed ${task.seed}; half of the vectors indexed, ${percent(task.share)} ` +
      'of them deleted in a round, as many added, half as many replaced.',
    table(
      ['contender', 'round', 'turnover', 'recall@10', 'ghosts', 'queries/s', 's', 'bytes/vector'],
      contenders.flatMap(({ name, points: measured }) =>
        measured.map((point) => [
          ...[name, String(point.round), percent(point.turnover), point.recall.toFixed(4)],
          ...[String(point.ghosts), whole(point.qps), point.seconds.toFixed(2)],
          whole(point.bytesPerVector),
        ]),
      ),
    ),
    ...skippedLines(skipped),
  ].join('\n\n');
}

function renderMulti({
  documents,
  tokens,
  queries,
  sha256,
  task,
  figures,
}: MultiTaskResult): string {
  return [
    `${whole(documents)} documents, ${whole(tokens)} tokens, ${queries} queries, ` +
      `seed ${task.seed}, SHA-256 ${sha256.slice(0, 12)}`,
    table(
      [
        'method',
        'bits',
        'candidates',
        'nDCG@10',
        'recall@10',
        'queries/s',
        'x exhaustive',
        'bytes',
      ],
      figures.map((row) => [
        ...[row.method, String(row.tokenBits), String(row.candidates ?? '-')],
        row.ndcgAt10 === undefined ? '-' : points(row.ndcgAt10),
        ...[row.recallAt10.toFixed(4), whole(row.queriesPerSecond), row.timesExhaustive.toFixed(1)],
        whole(row.bytesPerDocument),
      ]),
    ),
  ].join('\n\n');
}

function renderKv({ layers, tokens, sha256, task, figures }: KvResult): string {
  return [
    `${layers} layers, ${whole(tokens)} tokens, seed ${task.seed}, SHA-256 ${sha256.slice(0, 12)}; ` +
      'relative errors, bases counted for all but leandex',
    table(
      ['method', 'wanted', 'times smaller', 'with bases', 'keys', 'values', 'attention'],
      figures.map((row) => [
        row.method,
        ...[row.level, row.compression, row.compressionWithBases].map((x) => x.toFixed(1)),
        ...[row.keys, row.values].map((x) => x.toFixed(4)),
        row.attention === null ? '-' : row.attention.toFixed(4),
      ]),
    ),
  ].join('\n\n');
}

function dataLine(data: DataInfo, distance = 'Cosine'): string {
  const { name, count, dimensions, queries, sha256 } = data;
  return (
    `${name}, ${whole(count)} x ${dimensions}, ${distance}, ${whole(queries)} queries, ` +
    `SHA-256 ${sha256.slice(0, 12)}`
  );
}

function skippedLines(skipped: readonly { name: string; reason: string }[]): string[] {
  return skipped.map(({ name, reason }) => `Skipped: ${name}, ${oneLine(reason)}`);
}

function entries(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function points(score: number): string {
  return score.toFixed(4);
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
