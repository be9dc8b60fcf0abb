import type { DataInfo } from '../data.js';
import type { FunnelStage } from '../funnel.js';
import type { Machine } from '../machine.js';
import type { EndToEndFigures } from '../multi/end-to-end.js';
import type { CaseResult, Skipped } from '../result.js';
import type { ChurnTask, FilteredTask, KvTask, MultiTask } from './suite.js';

export interface AnnResult {
  readonly kind: 'ann';
  readonly name: string;
  /** One for each k. */
  readonly results: readonly CaseResult[];
}

export interface IrResult {
  readonly kind: 'ir';
  readonly name: string;
  readonly ef: number;
  readonly result: CaseResult;
  readonly funnel: readonly FunnelStage[];
}

/** Recall and speed with a share of the vectors allowed; latencies in microseconds. */
export interface FilteredPoint {
  readonly share: number;
  /** Whether those farthest from the queries are allowed, or some at random. */
  readonly far: boolean;
  readonly allowed: number;
  readonly recall: number;
  /** The least that any query got of min(k, allowed): 1 says that none got too few. */
  readonly complete: number;
  readonly qps: number;
  readonly p50: number;
  readonly p99: number;
}

export interface OnTask<Task, Figures> {
  readonly name: string;
  readonly task: Task;
  readonly data: DataInfo;
  readonly contenders: readonly ({ readonly name: string; readonly version: string } & Figures)[];
  readonly skipped: readonly Skipped[];
}

export interface FilteredResult
  extends OnTask<FilteredTask, { readonly points: readonly FilteredPoint[] }> {
  readonly kind: 'filtered';
}

/** After so many rounds, 0 being the fresh index. */
export interface ChurnPoint {
  readonly round: number;
  /** Vectors that were ever deleted or replaced, as a share of those in the index. */
  readonly turnover: number;
  readonly recall: number;
  readonly qps: number;
  /** Of the changes of the round, together. */
  readonly seconds: number;
  readonly bytesPerVector: number;
  /** Results that are no longer in the index: none may be. */
  readonly ghosts: number;
}

export interface ChurnResult extends OnTask<ChurnTask, { readonly points: readonly ChurnPoint[] }> {
  readonly kind: 'churn';
}

export interface MultiTaskResult {
  readonly kind: 'multi';
  readonly name: string;
  readonly task: MultiTask;
  readonly documents: number;
  readonly tokens: number;
  readonly queries: number;
  readonly sha256: string;
  readonly figures: readonly EndToEndFigures[];
}

export interface KvFigures {
  readonly method: string;
  /** The compression that was asked for, and what came of it, without bases and with them. */
  readonly level: number;
  readonly compression: number;
  readonly compressionWithBases: number;
  /** Relative errors; that of attention where the cache comes with real queries. */
  readonly keys: number;
  readonly values: number;
  readonly attention: number | null;
}

export interface KvResult {
  readonly kind: 'kv';
  readonly name: string;
  readonly task: KvTask;
  readonly layers: number;
  readonly tokens: number;
  readonly sha256: string;
  readonly figures: readonly KvFigures[];
}

export type TaskResult =
  | AnnResult
  | IrResult
  | FilteredResult
  | ChurnResult
  | MultiTaskResult
  | KvResult;

export interface LeftOut {
  readonly task: string;
  readonly reason: string;
}

/** What `leandex bench --suite` writes as results.json. */
export interface SuiteResult {
  readonly suite: string;
  readonly description: string;
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  /** Of leandex and every engine that took part, or could have. */
  readonly versions: Readonly<Record<string, string>>;
  readonly tasks: readonly TaskResult[];
  /** Tasks whose data is not here, and why. */
  readonly skipped: readonly LeftOut[];
  /** Tasks that ended with an error. */
  readonly failed: readonly LeftOut[];
}
