import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNpy } from '../datasets/npy.js';
import { groundTruth, keyOf, libraryHash } from './cache.js';
import type { BenchCase } from './cases.js';
import { loadData } from './data.js';
import { atRecallLevels, ratios } from './frontier.js';
import { currentCommit, describeMachine } from './machine.js';
import { Opponent } from './opponent.js';
import type { BuildReport } from './protocol.js';
import type { CaseResult, ContenderResult } from './result.js';
import type { Run } from './run.js';
import { measureCurves } from './sweep.js';

export interface HarnessOptions {
  /** Instead of the case's own number. */
  readonly repeats?: number;
  /** Keeps indexes and ground truths for the next run; undefined does all anew. */
  readonly cacheFolder?: string;
  /** Told what is going on, a line at a time. */
  readonly log?: (line: string) => void;
}

/**
 * Measures a case: exact neighbours first, then the builds, one after the other, then the searches,
 * interleaved so that a change in the machine's speed meets all contenders alike. Every contender
 * has a process of its own, and never are two at work.
 * @throws LeandexError `NOT_FOUND` for absent data, an engine that is not installed or workers that
 * are not compiled; `INTERNAL` when a worker fails.
 */
export async function runCase(
  benchCase: BenchCase,
  options: HarnessOptions = {},
): Promise<CaseResult> {
  const { repeats = benchCase.repeats, cacheFolder, log = () => {} } = options;
  const machine = describeMachine();
  const opponents: Opponent[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'leandex-bench-'));
  try {
    for (const contender of benchCase.contenders) opponents.push(new Opponent(contender));
    log(`${benchCase.name}: loading the data`);
    const data = loadData(benchCase);
    const { count, dimensions, queries } = data.info;
    log(`${benchCase.name}: exact neighbours of ${queries} queries in ${count} x ${dimensions}`);
    const truth = groundTruth(benchCase, data, cacheFolder);
    const vectorsPath = join(folder, 'vectors.npy');
    const queriesPath = join(folder, 'queries.npy');
    writeNpy(vectorsPath, [count, dimensions], data.corpus);
    writeNpy(queriesPath, [queries, dimensions], data.queries);
    const files = { vectorsPath, queriesPath, cacheFolder };
    return await measureCase(
      { benchCase, data, truth, machine, repeats, log, ...files },
      opponents,
    );
  } finally {
    for (const opponent of opponents) opponent.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureCase(run: Run, opponents: readonly Opponent[]): Promise<CaseResult> {
  const { benchCase, data, machine, repeats } = run;
  const builds: BuildReport[] = [];
  for (const opponent of opponents) builds.push(await buildOne(run, opponent));
  const curves = await measureCurves(run, opponents);
  const contenders = opponents.map(({ contender, version }, i): ContenderResult => {
    const { engine, settings } = contender;
    const atRecall = atRecallLevels(curves[i]);
    return { engine, version, settings, ...builds[i], points: curves[i], atRecall };
  });
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
    contenders,
    ratios: ratios(contenders, 'leandex'),
  };
}

async function buildOne(run: Run, opponent: Opponent): Promise<BuildReport> {
  const { benchCase, vectorsPath, cacheFolder, log } = run;
  const { distance } = benchCase;
  const { contender } = opponent;
  const name = nameOf(opponent);
  log(`${benchCase.name}: building ${name}`);
  const cachePath =
    cacheFolder && join(cacheFolder, `${contender.engine}-${indexKey(run, opponent)}`);
  const report = await opponent.build({
    vectorsPath,
    distance,
    settings: contender.settings,
    ...(cachePath !== undefined && { cachePath }),
  });
  const seconds = report.buildSeconds.toFixed(2);
  log(
    `${benchCase.name}: ${name} built in ${seconds} s${report.cached ? ' (by an earlier run)' : ''}`,
  );
  return report;
}

/** Build seconds are cached with the index, so the processor is part of the key. */
function indexKey({ data, benchCase, machine }: Run, { contender, version }: Opponent): string {
  const { engine, settings } = contender;
  const code = engine === 'leandex' ? libraryHash() : version;
  const { cpu, node, kernel } = machine;
  return keyOf(code, data.corpusHash, benchCase.distance, settings, cpu, node, kernel);
}

function nameOf({ contender: { engine, settings } }: Opponent): string {
  return `${engine} ${JSON.stringify(settings)}`;
}
