import { join } from 'node:path';
import { writeNpy } from '../datasets/npy.js';
import { DISTANCES, type Distance } from '../src/base/distance.js';
import { LeandexError, outOfRange } from '../src/base/errors.js';
import { nearestIds } from '../src/eval/ground-truth.js';
import { codeHash, groundTruth, keyOf } from './cache.js';
import type { BenchCase } from './cases.js';
import type { Contender } from './contenders.js';
import { type BenchData, loadData } from './data.js';
import { Entrant } from './entrant.js';
import { entryList, skip } from './entry.js';
import { atRecallLevels, pointAbove } from './frontier.js';
import { Journal } from './journal.js';
import { judge } from './judge.js';
import { currentCommit, describeMachine, type Machine } from './machine.js';
import type { BuildReport } from './protocol.js';
import { ratios } from './ratios.js';
import type { CaseResult, ContenderResult, LatencyAt, ResultPoint, Skipped } from './result.js';
import type { BenchProgress, Run } from './run.js';
import { withScratch } from './scratch.js';
import { measureAllThreads, measureCurves } from './sweep.js';

export interface HarnessOptions {
  /** Instead of the case's own number. */
  readonly repeats?: number;
  /** Only these take part; one that is not installed is then an error. */
  readonly engines?: readonly string[];
  /**
   * Keeps indexes and ground truths for the next run, and measurements for the next attempt when
   * this one is interrupted; undefined does all anew.
   */
  readonly cacheFolder?: string;
  /** Told what is going on, a line at a time. */
  readonly log?: (line: string) => void;
  readonly onProgress?: (progress: BenchProgress) => void;
}

/**
 * Measures a case: exact neighbours first, then the builds, one after the other, then the searches,
 * interleaved so that a change in the machine's speed meets all contenders alike. Every contender
 * has a process of its own, and never are two at work. Who cannot take part is skipped, with the
 * reason in the result.
 * @throws LeandexError `NOT_FOUND` for absent data, a chosen engine that is not installed or workers
 * that are not compiled; RangeError `INVALID_ARGUMENT` for too little data; `UNSUPPORTED` when nobody can take part; `INTERNAL` when a worker fails.
 */
export async function runCase(
  benchCase: BenchCase,
  options: HarnessOptions = {},
): Promise<CaseResult> {
  const { repeats = benchCase.repeats, engines, cacheFolder } = options;
  const { log = () => {}, onProgress = () => {} } = options;
  const { contenders, skipped } = entryList(benchCase.contenders, engines);
  for (const { name, reason } of skipped) log(`${benchCase.name}: ${name} skipped, ${reason}`);
  const machine = describeMachine();
  return withScratch(async (scratch) => {
    log(`${benchCase.name}: loading the data`);
    const data = requireEnough(await loadData(benchCase), benchCase.k);
    const { count, dimensions, queries } = data.info;
    log(`${benchCase.name}: exact neighbours of ${queries} queries in ${count} x ${dimensions}`);
    const truth = groundTruth(benchCase, data, cacheFolder);
    const vectorsPath = join(scratch, 'vectors.npy');
    const queriesPath = join(scratch, 'queries.npy');
    writeNpy(vectorsPath, [count, dimensions], data.corpus);
    writeNpy(queriesPath, [queries, dimensions], data.queries);
    const journal = new Journal(journalPath(benchCase, data, machine, options));
    if (journal.resumed > 0) log(`${benchCase.name}: going on with the run of ${journal.begun}`);
    const files = { vectorsPath, queriesPath, scratch, cacheFolder };
    const run = { benchCase, data, truth, machine, journal, repeats, log, onProgress, ...files };
    const measured = await measureCase(run, contenders);
    journal.remove();
    return assemble(run, engines, measured.results, [...skipped, ...measured.skipped]);
  });
}

/** @throws RangeError `INVALID_ARGUMENT` without a query, or with fewer than k vectors. */
export function requireEnough(data: BenchData, k: number): BenchData {
  const { name, count, queries } = data.info;
  if (queries === 0) throw outOfRange(`the number of queries for ${name}`, 'at least 1', 0);
  if (count < k)
    throw outOfRange(`the number of vectors in ${name}`, `at least ${k}, the k`, count);
  return data;
}

/**
 * Measurements are taken over where everything that they depend on is the same, by a run of the
 * same engines: one of fewer would end with the rest of them thrown away.
 */
function journalPath(
  { contenders: _, repeats: __, ...rest }: BenchCase,
  data: BenchData,
  { cpu, cores, node, kernel }: Machine,
  { engines, cacheFolder }: HarnessOptions,
): string | undefined {
  if (cacheFolder === undefined) return undefined;
  const place = [cpu, cores, node, kernel];
  const code = codeHash(['bench', 'datasets', 'src']);
  const { dimensions, info } = data;
  const key = keyOf(rest, engines ?? null, info.sha256, dimensions, place, code);
  return join(cacheFolder, `unfinished-${rest.name}-${key}`);
}

async function measureCase(
  run: Run,
  contenders: readonly Contender[],
): Promise<{ results: ContenderResult[]; skipped: Skipped[] }> {
  const entrants: Entrant[] = [];
  const builds: BuildReport[] = [];
  const skipped: Skipped[] = [];
  try {
    for (const contender of contenders) {
      const entrant = new Entrant(contender, run);
      entrants.push(entrant);
      const refusal = await entrant.prepare().then(
        (report) => void builds.push(report),
        (error: unknown) => reasonOf(error),
      );
      if (refusal === undefined) continue;
      entrants.pop()!.close();
      skipped.push(skip(contender, refusal));
      run.log(`${run.benchCase.name}: ${contender.name} skipped, ${refusal}`);
    }
    if (entrants.length === 0) {
      const reasons = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
      throw new LeandexError(
        'UNSUPPORTED',
        `nobody can take part in ${run.benchCase.name}: ${reasons}`,
      );
    }
    const curves = await measureCurves(run, entrants);
    const allThreads = await measureAllThreads(run, entrants, curves);
    const results = entrants.map(({ contender, version, resumed }, i): ContenderResult => {
      const { efs: _, ...who } = contender;
      const points = curves[i];
      const atRecall = atRecallLevels(points);
      const latency = latencyAt(points, 0.95);
      const measured = { points, atRecall, latency, allThreads: allThreads[i] };
      return { ...who, version, ...builds[i], ...measured, resumed: { ...resumed } };
    });
    return { results, skipped };
  } finally {
    for (const entrant of entrants) entrant.close();
  }
}

/** What an engine says that refuses its settings; any other error goes on. */
function reasonOf(error: unknown): string {
  if ((error as { code?: unknown }).code !== 'UNSUPPORTED') throw error;
  return (error as Error).message;
}

function latencyAt(points: readonly ResultPoint[], wanted: number): LatencyAt | null {
  const point = pointAbove(points, wanted);
  if (point === undefined) return null;
  const { ef, recall, p50, p99, quantiles } = point;
  return { ef, recall, p50, p99, p99ToP50: p99 / p50, ...(quantiles && { quantiles }) };
}

/** What exact search by each distance is worth: how much of the task the embedding itself loses. */
function exactScores(benchCase: BenchCase, data: BenchData, cacheFolder: string | undefined) {
  const { k } = benchCase;
  const scoresBy = (distance: Distance) => {
    const truth = groundTruth({ ...benchCase, distance }, data, cacheFolder);
    return judge(nearestIds(truth, k), k, data.judgements!);
  };
  return Object.fromEntries(
    DISTANCES.map((distance) => [distance, scoresBy(distance)]),
  ) as CaseResult['exact'];
}

function assemble(
  { benchCase, data, machine, repeats, journal, cacheFolder }: Run,
  engines: readonly string[] | undefined,
  contenders: ContenderResult[],
  skipped: Skipped[],
): CaseResult {
  return {
    case: benchCase.name,
    date: new Date().toISOString(),
    commit: currentCommit(),
    machine,
    data: data.info,
    distance: benchCase.distance,
    k: benchCase.k,
    threads: 1,
    repeats,
    engines: engines === undefined ? null : [...engines],
    resumedFrom: journal.resumed > 0 ? journal.begun : null,
    contenders,
    skipped,
    ...(data.judgements !== undefined && { exact: exactScores(benchCase, data, cacheFolder) }),
    ratios: ratios(contenders, 'leandex'),
  };
}
