import { checkInteger, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import type { OpenOptions } from '../db/database.js';

/** What one request, and all that are under way, may take. */
export interface Limits {
  /** Bytes of a body. Default 32 MiB. */
  bodyBytes: number;
  /** Points, ids or operations of a write. Default 65,536. */
  batch: number;
  /** Results of a read, `limit` and `offset` together, over all its searches and prefetches. Default 65,536. */
  results: number;
  /** Searches of a batch. Default 1,024. */
  searches: number;
  /** Requests that are worked on at once. Default 64. */
  concurrent: number;
  /** Requests that wait for that; more are answered 429. Default 256. */
  queue: number;
  /** Seconds after which a request is given up, where it does not say itself. Default 60. */
  timeoutSeconds: number;
  /** The same for those that make, send, receive or restore a snapshot. Default 3,600. */
  snapshotTimeoutSeconds: number;
  /** Bytes of a snapshot that is uploaded. Default 64 GiB. */
  snapshotBytes: number;
}

export interface ServeOptions extends Pick<OpenOptions, 'durability' | 'readOnly'> {
  /** Default 127.0.0.1: this machine alone. Any other needs `apiKey`. */
  host?: string | undefined;
  /** Default 6333; 0 takes one that is free. */
  port?: number | undefined;
  /** Whoever has it may do everything. */
  apiKey?: string | undefined;
  /** Whoever has it may read. */
  readOnlyApiKey?: string | undefined;
  /** Names that the `Host` of a request may have, besides those of this machine. */
  allowedHosts?: readonly string[] | undefined;
  /** Where snapshots are kept. Outside of the database's folder. Default: beside it, `<folder>-snapshots`. */
  snapshots?: string | undefined;
  limits?: Partial<Limits> | undefined;
  /** Which lines are logged: one JSON object each. Default `info`. */
  logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug' | undefined;
  /** Where they go. Default: stderr. */
  logStream?: { write(line: string): void } | undefined;
}

export type ResolvedOptions = Omit<ServeOptions, 'limits'> & {
  host: string;
  port: number;
  limits: Limits;
};

export const DEFAULT_LIMITS: Readonly<Limits> = {
  bodyBytes: 32 * 2 ** 20,
  batch: 65_536,
  results: 65_536,
  searches: 1024,
  concurrent: 64,
  queue: 256,
  timeoutSeconds: 60,
  snapshotTimeoutSeconds: 3600,
  snapshotBytes: 64 * 2 ** 30,
};

const NAMES: readonly (keyof ServeOptions)[] = [
  'durability',
  'readOnly',
  'host',
  'port',
  'apiKey',
  'readOnlyApiKey',
  'allowedHosts',
  'snapshots',
  'limits',
  'logLevel',
  'logStream',
];
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, also where anybody could reach what nothing guards. */
export function resolveServeOptions(given: ServeOptions): ResolvedOptions {
  checkOptions('the options of serve', given, NAMES);
  const { host = '127.0.0.1', port = 6333, apiKey, readOnlyApiKey, limits = {} } = given;
  if (typeof host !== 'string' || host === '')
    throw wrongType('host', 'a name or an address', host);
  checkInteger('port', port, 0, 65_535);
  checkKey('apiKey', apiKey);
  checkKey('readOnlyApiKey', readOnlyApiKey);
  if (readOnlyApiKey !== undefined && apiKey === undefined) {
    throw outOfRange('apiKey', 'given where readOnlyApiKey is', undefined);
  }
  if (!isLoopback(host) && apiKey === undefined) {
    const problem = `others can reach ${host}, and there is no API key`;
    throw new LeandexError('INVALID_ARGUMENT', `${problem}: set one, or listen on 127.0.0.1`);
  }
  return { ...given, host, port, limits: resolveLimits(limits) };
}

function checkKey(what: string, key: unknown): void {
  if (key === undefined) return;
  if (typeof key !== 'string') throw wrongType(what, 'a string', key);
  // The key itself is in no message.
  if (!/^[\x21-\x7e]{8,1024}$/.test(key)) {
    throw outOfRange(what, '8 to 1,024 visible ASCII characters', 'another text');
  }
}

function resolveLimits(given: Partial<Limits>): Limits {
  const names = Object.keys(DEFAULT_LIMITS);
  checkOptions('limits', given, names);
  for (const [name, value] of Object.entries(given)) {
    const least = name === 'queue' ? 0 : 1;
    checkInteger(`limits.${name}`, value, least, Number.MAX_SAFE_INTEGER);
  }
  return { ...DEFAULT_LIMITS, ...given };
}
