import type { PayloadSelection } from '../../db/types.js';
import {
  anything,
  array,
  boolean,
  component,
  either,
  integer,
  nullable,
  number,
  object,
  oneOf,
  record,
  type Schema,
  string,
} from '../schema.js';

export const pointId = component<unknown>('PointId');
export const vectors = component<unknown>('Vectors');
export const query = component<unknown>('Query');
export const filter = component<unknown>('Filter');
export const payload = component<Record<string, unknown>>('Payload');
export const withPayload = component<PayloadSelection>('WithPayload');
export const withVector = component<boolean | readonly string[]>('WithVector');
/** Not supported: refused with a reason where it is given. */
export const refusedField = component<unknown>('Unsupported');

const flag = (description: string) =>
  oneOf(['true', 'false'] as const) && {
    ...oneOf(['true', 'false'] as const),
    description,
  };
const seconds = string({ pattern: '^[1-9][0-9]{0,5}$', description: 'Seconds to give up after' });
/** Of several machines: there is but one here, so that all are the same. */
const consistency = string({ pattern: '^([0-9]{1,4}|majority|quorum|all)$' });

export const readQuery = object({}, { consistency, timeout: seconds });
export const timeoutQuery = object({}, { timeout: seconds });
export const writeQuery = object(
  {},
  {
    wait: flag('What is answered once it is written: completed, or only acknowledged'),
    ordering: oneOf(['weak', 'medium', 'strong'] as const),
    timeout: seconds,
  },
);
export const waitQuery = object({}, { wait: flag('Always waited for') });
export type WriteQuery = typeof writeQuery extends Schema<infer T> ? T : never;

/** A place among machines: there is but one. */
export const shardKey = nullable(component<unknown>('ShardKey'));

/** Which points: by id or by filter. */
export const selector = {
  points: array(pointId),
  filter,
  shard_key: shardKey,
} as const;

export const updateResult = object({
  operation_id: integer(),
  status: oneOf(['acknowledged', 'completed'] as const),
});

const outVectors = component<unknown>('OutVectors');
const outPayload = nullable(record(anything()));

/** Of what is in the order of a payload field. */
const orderValue = number();

export const recordSchema = object(
  { id: pointId },
  { payload: outPayload, vector: outVectors, order_value: orderValue },
);
export const scoredPoint = object(
  { id: pointId, version: integer(), score: number() },
  { payload: outPayload, vector: outVectors, order_value: orderValue },
);
export const groupsResult = object({
  groups: array(
    object({ id: either(string(), integer()), hits: array(scoredPoint) }, { lookup: recordSchema }),
  ),
});
export const ok: Schema<boolean> = boolean();
