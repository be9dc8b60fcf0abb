import { type Endpoint, endpoint } from '../endpoint.js';
import { refused } from '../errors.js';
import { anything } from '../schema.js';

const STANDALONE = 'Qdrant is running in standalone mode';
const COLLECTION = '/collections/{collection_name}';

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** Endpoints of Qdrant that are known and not there. */
const MISSING: readonly (readonly [status: 405 | 501, path: string, methods: readonly Method[]])[] =
  [
    [405, '/cluster/telemetry', ['GET']],
    [405, '/cluster/recover', ['POST']],
    [405, '/cluster/peer/{peer_id}', ['DELETE']],
    [405, `${COLLECTION}/cluster`, ['GET', 'POST']],
    [405, `${COLLECTION}/shards`, ['GET', 'PUT']],
    [405, `${COLLECTION}/shards/delete`, ['POST']],
    [405, `${COLLECTION}/shards/{shard_id}/snapshots`, ['GET', 'POST']],
    [501, '/quotas', ['GET']],
    [501, '/issues', ['GET', 'DELETE']],
    [501, `${COLLECTION}/optimizations`, ['GET']],
    [501, `${COLLECTION}/vectors/{vector_name}`, ['PUT', 'DELETE']],
    [501, `${COLLECTION}/points/recommend`, ['POST']],
    [501, `${COLLECTION}/points/recommend/batch`, ['POST']],
    [501, `${COLLECTION}/points/recommend/groups`, ['POST']],
    [501, `${COLLECTION}/points/discover`, ['POST']],
    [501, `${COLLECTION}/points/discover/batch`, ['POST']],
  ];

export const missing: readonly Endpoint[] = MISSING.flatMap(([status, path, methods]) =>
  methods.map((method) =>
    endpoint({
      method,
      path,
      summary: status === 405 ? 'Of several machines: there is but one' : 'Not supported',
      access: method === 'GET' ? 'read' : 'write',
      result: anything(),
      run: () => {
        throw refused(status, status === 405 ? STANDALONE : `Not implemented: ${method} ${path}`);
      },
    }),
  ),
);
