import { endpoint } from './endpoint.js';
import { timeoutQuery } from './qdrant/schemas.js';
import { knownName } from './qdrant/unnamed.js';
import { array, integer, number, object, type Schema, string } from './schema.js';

const details: Schema<unknown> = { type: 'object' };

/** Trial indexes are built for it, so it takes seconds to a minute: one thread works on them. */
export const advice = endpoint({
  method: 'POST',
  path: '/v1/collections/{collection_name}/advice',
  summary:
    'What `collection.advise()` recommends: settings with reasons, the recall and bytes to expect',
  access: 'read',
  envelope: 'bare',
  query: timeoutQuery,
  body: object(
    {},
    {
      using: string(),
      k: integer({ minimum: 1 }),
      recall: number({ minimum: 0.5, maximum: 0.999 }),
      memory: integer({ minimum: 1 }),
      sample: integer({ minimum: 2048, maximum: 999_999 }),
      seed: integer({ minimum: 0, maximum: 0xffff_ffff }),
    },
  ),
  result: object({
    settings: details,
    trainWithQueries: { type: 'boolean' },
    search: object({ ef: integer() }),
    expected: object({
      ...{ count: integer(), k: integer(), recall: number() },
      ...{ bytesPerVector: number(), bytes: integer() },
    }),
    reasons: array(object({ about: string(), text: string() })),
    warnings: array(object({ code: string(), text: string() })),
    features: details,
    trials: array(
      object({
        ...{ settings: details, trained: { type: 'boolean' }, count: integer() },
        ...{ bytesPerVector: number(), curve: array(object({ ef: integer(), recall: number() })) },
      }),
    ),
  }),
  run: async ({ catalog }, { params, body, signal }) => {
    const served = await catalog.find(params.collection_name!);
    const { using, ...wish } = body;
    const given = Object.entries(wish).filter(([, value]) => value !== undefined && value !== null);
    return served.collection.advise({
      using: knownName(using ?? '', served),
      ...Object.fromEntries(given),
      threads: 1,
      signal,
    });
  },
});
