import { type Endpoint, endpoint } from './endpoint.js';
import { timeoutQuery } from './qdrant/schemas.js';
import {
  anything,
  array,
  boolean,
  integer,
  object,
  oneOf,
  record,
  type Schema,
  string,
} from './schema.js';

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
    sparseVectors: record(details),
    textIndexes: record(details),
    payloadIndexes: record(details),
    bytes: object({ memory: { type: 'number' }, disk: { type: 'number' } }),
  }),
  run: async ({ catalog }, { params }) =>
    (await catalog.find(params.collection_name!)).collection.info(),
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
    const { collection } = await catalog.find(params.collection_name!);
    await collection.optimize({ signal });
    return collection.info();
  },
});

const TEXT_INDEX = `${COLLECTION}/text-indexes/{field_name}`;

const createTextIndex = endpoint({
  method: 'PUT',
  path: TEXT_INDEX,
  summary: 'Index the texts of a payload field for queries by words, `{ text: { field, match } }`',
  access: 'write',
  envelope: 'bare',
  query: timeoutQuery,
  isBodyOptional: true,
  body: object(
    {},
    { tokenizer: oneOf(['unicode61', 'porter', 'trigram'] as const), prefix: array(integer()) },
  ),
  result: object({ created: boolean() }),
  run: async ({ catalog }, { params, body, signal }) => {
    const { collection } = await catalog.find(params.collection_name!);
    const { tokenizer, prefix } = body;
    const options = { ...(tokenizer && { tokenizer }), ...(prefix && { prefix }), signal };
    await collection.createTextIndex(params.field_name!, options);
    return { created: true };
  },
});

const deleteTextIndex = endpoint({
  method: 'DELETE',
  path: TEXT_INDEX,
  summary: 'Give an index of texts up; false where there is none',
  access: 'write',
  envelope: 'bare',
  query: timeoutQuery,
  result: object({ deleted: boolean() }),
  run: async ({ catalog }, { params }) => {
    const { collection } = await catalog.find(params.collection_name!);
    return { deleted: await collection.deleteTextIndex(params.field_name!) };
  },
});

export const native: readonly Endpoint[] = [info, optimize, createTextIndex, deleteTextIndex];
