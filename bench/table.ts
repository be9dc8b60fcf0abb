import { RECALL_LEVELS } from './frontier.js';
import { table } from './markdown.js';
import type { CaseResult, ContenderResult } from './result.js';

/** A result as Markdown whose columns line up, for the console and for the documentation alike. */
export function renderResult(result: CaseResult): string {
  return [
    ...heading(result),
    '',
    table(
      ['engine', 'settings', 'build s', 'bytes/vector', 'RSS MiB', ...levelHeads('queries/s at')],
      result.contenders.map((contender) => [
        contender.engine,
        settingsOf(contender),
        contender.buildSeconds.toFixed(2) + (contender.cached ? ' (cached)' : ''),
        whole(contender.bytesPerVector.total),
        whole(contender.rssBytes / 2 ** 20),
        ...RECALL_LEVELS.map((level) => orDash(contender.atRecall[level], whole)),
      ]),
    ),
    '',
    table(
      ['times better', 'than the best', ...levelHeads('queries/s at'), 'build', 'memory'],
      result.ratios.map(({ contender, opponent, qps, build, memory }) => [
        `leandex ${settingsOf(result.contenders[contender])}`,
        opponent,
        ...RECALL_LEVELS.map((level) => orDash(qps[level], times)),
        times(build),
        times(memory),
      ]),
    ),
    '',
    table(
      ['engine', 'settings', 'ef', 'recall@10', 'queries/s', 'min - max', 'p50 µs', 'p95', 'p99'],
      result.contenders.flatMap(pointRows),
    ),
    '',
  ].join('\n');
}

function heading({
  case: name,
  data,
  machine,
  distance,
  repeats,
  k,
  commit,
}: CaseResult): string[] {
  const { cpu, cores, node, kernel, loadAverage } = machine;
  return [
    `${name}: ${data.name}, ${whole(data.count)} x ${data.dimensions}, ${distance}, ` +
      `${whole(data.queries)} queries, k ${k}, one thread, median of ${repeats} repeats`,
    `${cpu}, ${cores} cores (load ${loadAverage} at the start), Node ${node}, ${kernel}, ` +
      `commit ${commit ?? 'unknown'}`,
  ];
}

function pointRows(contender: ContenderResult): string[][] {
  return contender.points.map(({ ef, recallAt10, qps, qpsMin, qpsMax, p50, p95, p99 }) => [
    contender.engine,
    settingsOf(contender),
    String(ef),
    recallAt10.toFixed(4),
    whole(qps),
    `${whole(qpsMin)} - ${whole(qpsMax)}`,
    ...[p50, p95, p99].map((latency) => latency.toFixed(1)),
  ]);
}

function settingsOf({ settings }: ContenderResult): string {
  const parts = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'default' : parts.join(', ');
}

function levelHeads(what: string): string[] {
  return RECALL_LEVELS.map((level, i) => (i === 0 ? `${what} ${level}` : level));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function times(value: number): string {
  return `${value.toFixed(1)}x`;
}

function orDash(value: number | null, render: (value: number) => string): string {
  return value === null ? '-' : render(value);
}
