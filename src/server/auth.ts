import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { refused } from './errors.js';
import { isLoopback, type ResolvedOptions } from './options.js';

/** What a request may do, or an endpoint needs. */
export type Access = 'open' | 'read' | 'write';

/** The only plain text among the answers to errors, as clients of Qdrant expect it. */
export const KEY_MISSING = 'Must provide an API key or an Authorization bearer token';
export const KEY_WRONG = 'Invalid API key or JWT';

type Keys = Pick<ResolvedOptions, 'apiKey' | 'readOnlyApiKey'>;

/** Checks keys in a time that does not tell how much of them was right. */
export function authorizer({ apiKey, readOnlyApiKey }: Keys) {
  const all = apiKey === undefined ? undefined : digest(apiKey);
  const reading = readOnlyApiKey === undefined ? undefined : digest(readOnlyApiKey);
  /** @throws 401 for whoever has no key, 403 for whoever may only read. */
  return (headers: IncomingHttpHeaders, needed: Access): void => {
    if (all === undefined || needed === 'open') return;
    const key = keyIn(headers);
    if (key === undefined) throw refused(401, KEY_MISSING);
    const given = digest(key);
    const isAll = timingSafeEqual(given, all);
    const isReading = reading !== undefined && timingSafeEqual(given, reading);
    if (isAll) return;
    if (!isReading) throw refused(401, KEY_WRONG);
    if (needed === 'write') throw refused(403, 'Forbidden: this key may only read');
  };
}

/** All of the same length, as the comparison needs them. */
const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['api-key'];
  if (typeof own === 'string') return own;
  return /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/**
 * On loopback a page in a browser could reach this server by a name that its owner lets point here:
 * only requests to names of this machine are answered.
 */
export function hostChecker({ host, allowedHosts }: ResolvedOptions) {
  const allowed = new Set(allowedHosts?.map((name) => name.toLowerCase()));
  const isChecked = isLoopback(host) || allowed.size > 0;
  return (header: string | undefined): void => {
    if (!isChecked) return;
    const name = (header ?? '')
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    if (isLoopback(name) || allowed.has(name)) return;
    throw refused(403, 'Forbidden: this server does not answer to that Host');
  };
}
