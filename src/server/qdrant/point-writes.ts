import { checkInteger } from '../../base/check.js';
import { outOfRange } from '../../base/errors.js';
import type { WriteResult } from '../../db/types.js';
import { type Call, type Endpoint, endpoint, type ServerContext } from '../endpoint.js';
import { array, type Of, object, type Schema } from '../schema.js';
import { isConditional } from './conditional.js';
import { updateResult as updated } from './records.js';
import { updateResult, type WriteQuery, writeQuery } from './schemas.js';
import * as writes from './writes.js';

const POINTS = '/collections/{collection_name}/points';

type Write<Body> = (writing: writes.Writing, body: Body) => Promise<WriteResult>;

async function writingOf({ catalog, options }: ServerContext, { params, signal }: Call) {
  const served = await catalog.find(params.collection_name!);
  return { ...served, batchMax: options.limits.batch, signal };
}

/** A write that looks before it writes is alone. */
function inTurn<Body>(writing: writes.Writing, body: Body, run: Write<Body>): Promise<WriteResult> {
  const turn = isConditional(body as object) ? 'alone' : 'side';
  return writing.turns[turn](() => run(writing, body));
}

function write<Body>(
  method: 'PUT' | 'POST',
  path: string,
  summary: string,
  body: Schema<Body>,
  run: Write<Body>,
): Endpoint {
  return endpoint({
    method,
    path: POINTS + path,
    summary,
    access: 'write',
    query: writeQuery,
    body,
    result: updateResult,
    run: async (context, call: Call<WriteQuery, Body>) => {
      const result = await inTurn(await writingOf(context, call), call.body, run);
      return updated(result, call.query);
    },
  });
}

/** What one operation of a batch may be: each with the body of its own endpoint. */
const OPERATIONS = {
  upsert: [writes.upsertBody, writes.upsert],
  delete: [writes.deleteBody, writes.remove],
  set_payload: [writes.setPayloadBody, writes.setPayload],
  overwrite_payload: [writes.setPayloadBody, writes.overwritePayload],
  delete_payload: [writes.deletePayloadBody, writes.deletePayload],
  clear_payload: [writes.clearPayloadBody, writes.clearPayload],
  update_vectors: [writes.updateVectorsBody, writes.updateVectors],
  delete_vectors: [writes.deleteVectorsBody, writes.deleteVectors],
} as const;

const operation = object(
  {},
  Object.fromEntries(Object.entries(OPERATIONS).map(([name, [body]]) => [name, body])),
);
const batchBody = object({ operations: array(operation) });

/** Operations in their order, each atomic by itself; the first that fails ends it. */
const batch = endpoint({
  method: 'POST',
  path: `${POINTS}/batch`,
  summary: 'Do several writes one after another',
  access: 'write',
  query: writeQuery,
  body: batchBody,
  result: array(updateResult),
  run: async (context, call) => {
    const { operations } = call.body;
    const most = context.options.limits.searches;
    checkInteger('the number of operations', operations.length, 0, most);
    const chosen = operations.map(chooseOperation);
    const writing = await writingOf(context, call);
    const results = [];
    for (const run of chosen) results.push(updated(await run(writing), call.query));
    return results;
  },
});

function chooseOperation(given: Of<typeof operation>, i: number) {
  const chosen = Object.entries(given).filter(([, body]) => body !== null && body !== undefined);
  const [only] = chosen;
  if (only === undefined || chosen.length > 1) {
    const names = chosen.map(([name]) => name).join(', ');
    throw outOfRange(`operations[${i}]`, `one of ${Object.keys(OPERATIONS).join(', ')}`, names);
  }
  const [name, body] = only;
  const [, run] = OPERATIONS[name as keyof typeof OPERATIONS];
  return (writing: writes.Writing) => inTurn(writing, body, run as Write<unknown>);
}

export const pointWrites: readonly Endpoint[] = [
  write(
    'PUT',
    '',
    'Write points, in place of those with their ids',
    writes.upsertBody,
    writes.upsert,
  ),
  write('POST', '/delete', 'Delete points', writes.deleteBody, writes.remove),
  write(
    'PUT',
    '/vectors',
    'Change vectors of points',
    writes.updateVectorsBody,
    writes.updateVectors,
  ),
  write(
    'POST',
    '/vectors/delete',
    'Take named vectors from points',
    writes.deleteVectorsBody,
    writes.deleteVectors,
  ),
  write(
    'POST',
    '/payload',
    'Merge members into payloads',
    writes.setPayloadBody,
    writes.setPayload,
  ),
  write(
    'PUT',
    '/payload',
    'Put a payload in the place of others',
    writes.setPayloadBody,
    writes.overwritePayload,
  ),
  write(
    'POST',
    '/payload/delete',
    'Take members from payloads',
    writes.deletePayloadBody,
    writes.deletePayload,
  ),
  write(
    'POST',
    '/payload/clear',
    'Take payloads away',
    writes.clearPayloadBody,
    writes.clearPayload,
  ),
  batch,
];
