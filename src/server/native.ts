import { type Endpoint, endpoint } from './endpoint.js';
import { timeoutQuery } from './qdrant/schemas.js';
import { anything, integer, object, oneOf, record, type Schema, string } from './schema.js';

/** What Qdrant has no word for. Errors are problem+json (RFC 9457) with the `code` of leandex's own. */
const COLLECTION = '/v1/collections/{collection_name}';

const details: Schema<unknown> = { type: 'object' };

const info = endpoint({
  method: 'GET',
  path: COLLECTION,
  summary: 'What `collection.info()` tells: the training and building under way, the graph, bytes',
  access: 'read',
  envelope: 'bare',
  result: object({
    name: string(),
    count: integer(),
    version: integer(),
    status: oneOf(['ready', 'building', 'degraded'] as const),
    vectors: record(details),
    payloadIndexes: record(details),
    bytes: object({ memory: { type: 'number' }, disk: { type: 'number' } }),
  }),
  run: async ({ catalog }, { params }) => (await catalog.find(params.collection_name!)).info(),
});

const optimize = endpoint({
  method: 'POST',
  path: `${COLLECTION}/optimize`,
  summary:
    'Do all that is due: build, train anew, give space back. Give it a `timeout` that is long enough',
  access: 'write',
  envelope: 'bare',
  query: timeoutQuery,
  result: anything(),
  run: async ({ catalog }, { params, signal }) => {
    const collection = await catalog.find(params.collection_name!);
    await collection.optimize({ signal });
    return collection.info();
  },
});

export const native: readonly Endpoint[] = [info, optimize];
