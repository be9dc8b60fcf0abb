import type { Distance } from '../src/base/distance.js';
import type { BytesPerVector, EngineDescription, Settings } from './engine.js';

/** Builds or loads the index; the first request of a worker. */
export interface BuildRequest {
  readonly type: 'build';
  /** A .npy file of float32 rows. */
  readonly vectorsPath: string;
  readonly dimensions: number;
  readonly distance: Distance;
  readonly settings: Settings;
  readonly search: Settings;
  readonly efs: readonly number[];
  readonly threads: number;
  /** The rows that each filter to come allows; none unless said. */
  readonly filters?: readonly Uint32Array[];
  /** A folder for this worker alone. */
  readonly scratch: string;
  /** Where the index may lie from an earlier run, and is put otherwise; without an extension. */
  readonly cachePath?: string;
}

/** Searches all queries: one query a call on one thread, or on all threads as the engine can. */
export interface SearchRequest {
  readonly type: 'search' | 'searchAll';
  /** A .npy file of float32 rows. */
  readonly queriesPath: string;
  readonly k: number;
  readonly ef: number;
  /** Queries are searched for this long before the measurement, to warm caches and compilers. */
  readonly warmupMs: number;
  /** All queries are searched again and again for at least this long, and at least once. */
  readonly measureMs: number;
}

/** Searches as `search` does, among the rows that a filter of the build request allows. */
export interface FilteredRequest extends Omit<SearchRequest, 'type'> {
  readonly type: 'searchFiltered';
  /** Its place among them. */
  readonly filter: number;
}

/** Deletes ids, then adds rows under ids; those that are there are replaced. */
export interface ChangeRequest {
  readonly type: 'change';
  /** .npy files of uint32, one axis. */
  readonly removedPath: string;
  readonly idsPath: string;
  /** A .npy file of float32 rows, one for each of ids. */
  readonly vectorsPath: string;
}

export type Request = BuildRequest | SearchRequest | FilteredRequest | ChangeRequest;

export interface BuildReport {
  readonly buildSeconds: number;
  readonly buildThreads: number;
  /** Processor seconds of the build, its preparation included: what the threads really did. */
  readonly buildCpuSeconds: number;
  /** Whether the index comes from an earlier run, whose seconds these are. */
  readonly cached: boolean;
  /** What a search touches, by part, and the total. */
  readonly bytesPerVector: BytesPerVector;
  /** Bytes of the saved index; only known where it is written to the cache. */
  readonly indexBytes?: number;
  /** Growth of the resident memory outside of the JavaScript heap, vectors given back. */
  readonly rssBytes: number;
  /** What the settings became. */
  readonly resolved: EngineDescription['resolved'];
  /** Threads that the engine searches many queries with; 1 where it has no such way. */
  readonly searchThreads: number;
}

export interface SearchReport {
  /** Microseconds of every search measured. */
  readonly latencies: Float64Array;
  /** The ids of one pass, m x k, padded with NO_ID. */
  readonly ids: Uint32Array;
  /** Processor seconds a second while searching: 1 says that one thread was at work. */
  readonly coresBusy: number;
}

export interface SearchAllReport {
  /** Queries a second of all threads together. */
  readonly qps: number;
  readonly coresBusy: number;
}

export interface ChangeReport {
  readonly seconds: number;
  /** As of the index that is left. */
  readonly bytesPerVector: BytesPerVector;
}

export interface ReportOf {
  readonly build: BuildReport;
  readonly search: SearchReport;
  readonly searchFiltered: SearchReport;
  readonly change: ChangeReport;
  readonly searchAll: SearchAllReport;
}

/** The answer to a request. */
export type Reply = { readonly report: ReportOf[keyof ReportOf] } | { readonly error: WorkerError };

export interface WorkerError {
  readonly message: string;
  readonly stack?: string;
  /** Where the error is one of leandex's. */
  readonly code?: string;
}
