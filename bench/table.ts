import { RECALL_LEVELS } from './frontier.js';
import { table, whole } from './markdown.js';
import type { CaseResult, ContenderResult } from './result.js';

/** A result as Markdown whose columns line up, for the console and for the documentation alike. */
export function renderResult(result: CaseResult): string {
  const { contenders } = result;
  const parts = [
    heading(result),
    result.skipped.length > 0 && skippedLines(result),
    summaryTable(contenders),
    result.ratios.length > 0 && ratioTable(result),
    memoryTable(contenders),
    allThreadsTable(result),
    pointTable(result),
  ];
  return `${parts.filter((part) => part !== false).join('\n\n')}\n`;
}

function heading({ case: name, data, machine, distance, repeats, k, ...rest }: CaseResult): string {
  const { cpu, cores, node, kernel, loadAverage } = machine;
  const { commit, resumedFrom, contenders } = rest;
  const lines = [
    `${name}: ${data.name}, ${whole(data.count)} x ${data.dimensions}, ${distance}, ` +
      `${whole(data.queries)} queries, k ${k}, one thread, median of ${repeats} repeats`,
    `${cpu}, ${cores} cores (load ${loadAverage} at the start), Node ${node}, ${kernel}, ` +
      `commit ${commit ?? 'unknown'}`,
  ];
  if (resumedFrom !== null) {
    const taken = contenders.reduce((sum, { resumed }) => sum + resumed.measurements, 0);
    const builds = contenders.filter(({ resumed }) => resumed.build).length;
    lines.push(
      `${builds} builds and ${taken} measurements are from the interrupted run of ${resumedFrom}`,
    );
  }
  return lines.join('\n');
}

function skippedLines({ skipped }: CaseResult): string {
  return skipped.map(({ name, reason }) => `Skipped: ${name}, ${reason}`).join('\n');
}

export function summaryTable(contenders: readonly ContenderResult[]): string {
  return table(
    ['contender', 'version', 'build s', 'threads', 'bytes/vector', 'RSS MiB'].concat(
      levelHeads('queries/s at'),
      ['p50 µs at 0.95', 'p99', 'p99/p50'],
    ),
    contenders.map(({ latency, ...contender }) => [
      contender.name,
      contender.version,
      contender.buildSeconds.toFixed(2) + (contender.cached ? ' (cached)' : ''),
      String(contender.buildThreads),
      whole(contender.bytesPerVector.total),
      whole(contender.rssBytes / 2 ** 20),
      ...RECALL_LEVELS.map((level) => orDash(contender.atRecall[level], whole)),
      ...[latency?.p50, latency?.p99, latency?.p99ToP50].map((x) => orDash(x, (y) => y.toFixed(1))),
    ]),
  );
}

/** Beside the builds stand their threads, because not every engine can build on all. */
export function ratioTable({ contenders, ratios }: CaseResult): string {
  return table(
    ['times better', 'than the best of', ...levelHeads('queries/s at')].concat([
      'build',
      'threads, ours : theirs',
      'memory',
    ]),
    ratios.map(({ contender, opponent, qps, build, buildThreads, memory }) => [
      contenders[contender].name,
      opponent,
      ...RECALL_LEVELS.map((level) => orDash(qps[level], times)),
      orDash(build, times),
      buildThreads.join(' : '),
      orDash(memory, times),
    ]),
  );
}

function memoryTable(contenders: readonly ContenderResult[]): string {
  return table(
    ['contender', 'bytes/vector', 'by part'],
    contenders.map(({ name, bytesPerVector: { total, ...parts } }) => [
      name,
      whole(total),
      Object.entries(parts as Record<string, number>)
        .map(([part, bytes]) => `${part} ${whole(bytes)}`)
        .join(', '),
    ]),
  );
}

export function allThreadsTable({ k, contenders }: CaseResult): string {
  return table(
    ['all threads', 'ef', `recall@${k}`, 'threads', 'queries/s', 'min - max', 'x one thread'],
    contenders.flatMap(({ name, allThreads, points }) =>
      allThreads.map(({ ef, recall, threads, qps, qpsMin, qpsMax }) => [
        name,
        String(ef),
        recall.toFixed(4),
        String(threads),
        whole(qps),
        `${whole(qpsMin)} - ${whole(qpsMax)}`,
        (qps / points.find((point) => point.ef === ef)!.qps).toFixed(2),
      ]),
    ),
  );
}

function pointTable({ k, contenders }: CaseResult): string {
  return table(
    ['contender', 'ef', `recall@${k}`, 'queries/s', 'min - max', 'p50 µs', 'p95', 'p99'],
    contenders.flatMap(({ name, points }) =>
      points.map(({ ef, recall, qps, qpsMin, qpsMax, p50, p95, p99 }) => [
        name,
        String(ef),
        recall.toFixed(4),
        whole(qps),
        `${whole(qpsMin)} - ${whole(qpsMax)}`,
        ...[p50, p95, p99].map((latency) => latency.toFixed(1)),
      ]),
    ),
  );
}

function levelHeads(what: string): string[] {
  return RECALL_LEVELS.map((level, i) => (i === 0 ? `${what} ${level}` : level));
}

function times(value: number): string {
  return `${value.toFixed(1)}x`;
}

function orDash(value: number | null | undefined, render: (value: number) => string): string {
  return value == null ? '-' : render(value);
}
