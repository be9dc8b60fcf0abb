import type { Distance } from '../src/base/distance.js';
import type { Contender } from './cases.js';

/** Builds or loads the index; the first request of a worker. */
export interface BuildRequest {
  readonly type: 'build';
  /** A .npy file of float32 rows. */
  readonly vectorsPath: string;
  readonly distance: Distance;
  readonly settings: Contender['settings'];
  /** Where the index may lie from an earlier run, and is put otherwise; without an extension. */
  readonly cachePath?: string;
}

/** Searches all queries, one thread, one query a call. */
export interface SearchRequest {
  readonly type: 'search';
  /** A .npy file of float32 rows. */
  readonly queriesPath: string;
  readonly k: number;
  readonly ef: number;
  /** Queries are searched for this long before the measurement, to warm caches and compilers. */
  readonly warmupMs: number;
  /** All queries are searched again and again for at least this long, and at least once. */
  readonly measureMs: number;
}

export type Request = BuildRequest | SearchRequest;

export interface BuildReport {
  readonly buildSeconds: number;
  /** Whether the index comes from an earlier run, whose seconds these are. */
  readonly cached: boolean;
  /** What a search touches, by part, and the total. */
  readonly bytesPerVector: BytesPerVector;
  /** Bytes of the index as a file; only known where it is written to the cache. */
  readonly indexBytes?: number;
  /** Growth of the resident memory outside of the JavaScript heap, vectors given back. */
  readonly rssBytes: number;
  /** What the settings became. */
  readonly resolved: Readonly<Record<string, string | number>>;
}

export type BytesPerVector = Readonly<Record<string, number>> & { readonly total: number };

export interface SearchReport {
  /** Microseconds of every search measured. */
  readonly latencies: Float64Array;
  /** The ids of one pass, m x k, padded with NO_ID. */
  readonly ids: Uint32Array;
}

export interface ReportOf {
  readonly build: BuildReport;
  readonly search: SearchReport;
}

/** The answer to a request. */
export type Reply =
  | { readonly report: BuildReport | SearchReport }
  | { readonly error: { readonly message: string; readonly stack?: string } };
