import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Distance } from '../src/base/distance.js';
import type { Contender } from './cases.js';
import type { DataInfo } from './data.js';
import type { AtRecall, CurvePoint, Ratio } from './frontier.js';
import type { Machine } from './machine.js';
import type { BuildReport } from './protocol.js';

/** One beam width; latencies in microseconds, all numbers the medians of the repeats. */
export interface ResultPoint extends CurvePoint {
  readonly ef: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** The slowest and the fastest repeat. */
  readonly qpsMin: number;
  readonly qpsMax: number;
}

export interface ContenderResult extends BuildReport {
  readonly engine: Contender['engine'];
  readonly version: string;
  readonly settings: Contender['settings'];
  readonly points: readonly ResultPoint[];
  /** Queries/s at levels of recall@10, interpolated on the frontier; null where not reached. */
  readonly atRecall: AtRecall;
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
  readonly threads: 1;
  readonly repeats: number;
  readonly contenders: readonly ContenderResult[];
  /** leandex against each other engine. */
  readonly ratios: readonly Ratio[];
}

/** Writes a result as <case>.json and gives the path. */
export function writeResult(folder: string, result: CaseResult): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.case}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
