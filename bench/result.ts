import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Distance } from '../src/base/distance.js';
import type { Contender } from './contenders.js';
import type { DataInfo } from './data.js';
import type { AtRecall, CurvePoint } from './frontier.js';
import type { TaskScores } from './judge.js';
import type { Machine } from './machine.js';
import type { BuildReport, SearchAllReport } from './protocol.js';
import type { Ratio } from './ratios.js';

/** Shares of all searches whose latency a distribution says. */
export const QUANTILES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1] as const;

/** What the answers of a search are worth: against the exact ones, and by the judgements. */
export interface Verdict {
  readonly recall: number;
  readonly task?: TaskScores;
}

/** One measurement of one beam width; latencies in microseconds. */
export interface Sample extends CurvePoint, Verdict {
  /** At QUANTILES. */
  readonly quantiles: readonly number[];
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Processor seconds a second: 1 says that one thread was at work. */
  readonly coresBusy: number;
  /** Whether an earlier run measured this and was interrupted. */
  readonly resumed: boolean;
}

/** One beam width; all numbers are the medians of the samples, one a repeat. */
export interface ResultPoint extends CurvePoint, Verdict {
  readonly ef: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Latencies at QUANTILES; absent from results of before they were kept. */
  readonly quantiles?: readonly number[];
  /** The slowest and the fastest repeat. */
  readonly qpsMin: number;
  readonly qpsMax: number;
  readonly samples: readonly Omit<Sample, 'quantiles' | 'task'>[];
}

export interface AllSample extends SearchAllReport {
  readonly resumed: boolean;
}

/** One beam width on all threads that the engine can search with. */
export interface AllThreadsPoint extends CurvePoint {
  readonly ef: number;
  /** 1: the engine has no way to use more, and this is its curve's point. */
  readonly threads: number;
  readonly qpsMin: number;
  readonly qpsMax: number;
  readonly samples: readonly AllSample[];
}

/** What a search takes at the least beam width that reaches a recall; microseconds. */
export interface LatencyAt {
  readonly ef: number;
  readonly recall: number;
  readonly p50: number;
  readonly p99: number;
  readonly p99ToP50: number;
  /** The distribution, at QUANTILES; absent from results of before it was kept. */
  readonly quantiles?: readonly number[];
}

export interface ContenderResult extends BuildReport, Omit<Contender, 'efs'> {
  readonly version: string;
  readonly points: readonly ResultPoint[];
  /** Queries/s at levels of recall, interpolated on the frontier; null where not reached. */
  readonly atRecall: AtRecall;
  /** At a recall of .95; null where it is not reached. */
  readonly latency: LatencyAt | null;
  readonly allThreads: readonly AllThreadsPoint[];
  /** What comes from an earlier run that was interrupted. */
  readonly resumed: { readonly build: boolean; readonly measurements: number };
}

/** A contender that did not take part, and why. */
export interface Skipped extends Omit<Contender, 'efs'> {
  readonly reason: string;
}

/** What `leandex bench` writes: everything that is needed to judge and to repeat a run. */
export interface CaseResult {
  readonly case: string;
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly data: DataInfo;
  readonly distance: Distance;
  readonly k: number;
  /** Threads of the curves; `allThreads` of a contender says its own. */
  readonly threads: 1;
  readonly repeats: number;
  /** The engines that were asked for; null means all. */
  readonly engines: readonly string[] | null;
  /** When the interrupted run began whose measurements this one took over; null without one. */
  readonly resumedFrom: string | null;
  readonly contenders: readonly ContenderResult[];
  readonly skipped: readonly Skipped[];
  /** What exact search is worth by the judgements, by each distance; absent without them. */
  readonly exact?: Readonly<Record<Distance, TaskScores>>;
  /** leandex against the others. */
  readonly ratios: readonly Ratio[];
}

/** Writes a result as <case>.json and gives the path. */
export function writeResult(folder: string, result: CaseResult): string {
  const path = resultPath(folder, result, 'json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** What some of the engines gave must not take the place of what all gave. */
export function resultPath(folder: string, result: CaseResult, extension: string): string {
  return join(folder, `${[result.case, ...(result.engines ?? []), extension].join('.')}`);
}
