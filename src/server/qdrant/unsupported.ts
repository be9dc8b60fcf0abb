import { unsupported } from '../errors.js';
import type { Schema } from '../schema.js';
import { refusedField } from './schemas.js';

/** What fields of requests leandex does not have, by kind of request, and why. */
const ONE_MACHINE = 'there is but one machine, and one shard';

export const UNSUPPORTED_FIELDS = {
  params: {
    indexed_only: 'what is not in the graph yet is compared exactly, and always searched',
    acorn: 'filtered searches choose their own way',
  },
  createCollection: {
    init_from: 'copying collections is not supported: take a snapshot, and recover it',
    sharding_method: ONE_MACHINE,
    strict_mode_config: 'limits are those of the server',
  },
} as const satisfies Record<string, Record<string, string>>;

type Kind = keyof typeof UNSUPPORTED_FIELDS;

/** The schemas of these fields: in requests they are known, so that their refusal can say why. */
export function unsupportedFields<K extends Kind>(
  kind: K,
): Record<keyof (typeof UNSUPPORTED_FIELDS)[K] & string, Schema<unknown>> {
  const names = Object.keys(UNSUPPORTED_FIELDS[kind]);
  return Object.fromEntries(names.map((name) => [name, refusedField])) as never;
}

/** @throws LeandexError `UNSUPPORTED` where one of these fields is given. */
export function refuseUnsupported(kind: Kind, request: object): void {
  for (const [name, reason] of Object.entries(UNSUPPORTED_FIELDS[kind])) {
    const value = (request as Record<string, unknown>)[name];
    // False is what it does anyway.
    if (value !== undefined && value !== null && value !== false) throw unsupported(name, reason);
  }
}
