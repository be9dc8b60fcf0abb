import { type Endpoint, endpoint } from '../endpoint.js';
import { anything, object, string } from '../schema.js';

/** Clients compare it with their own: this serves those from 1.17 to 1.19 without a warning. */
export const DIALECT_VERSION = '1.18.0';

const text = string();

const about = endpoint({
  method: 'GET',
  path: '/',
  summary: 'What this is, and which version of the dialect it speaks',
  access: 'open',
  envelope: 'bare',
  result: object({ title: string(), version: string(), commit: string() }),
  run: ({ version }) => ({
    title: 'leandex, speaking the REST dialect of qdrant',
    version: DIALECT_VERSION,
    commit: `leandex@${version}`,
  }),
});

const alive = (path: string) =>
  endpoint({
    method: 'GET',
    path,
    summary: 'Whether the process answers',
    access: 'open',
    envelope: 'own',
    result: text,
    run: (_, { reply }) => {
      reply.type('text/plain').send('healthz check passed');
    },
  });

const ready = endpoint({
  method: 'GET',
  path: '/readyz',
  summary: 'Whether all collections are open, and it is not about to end',
  access: 'open',
  envelope: 'own',
  result: text,
  run: ({ isReady }, { reply }) => {
    const isNow = isReady();
    reply
      .code(isNow ? 200 : 503)
      .type('text/plain')
      .send(isNow ? 'all shards are ready' : 'some shards are not ready');
  },
});

const metrics = endpoint({
  method: 'GET',
  path: '/metrics',
  summary: 'Statistics, as Prometheus reads them',
  access: 'read',
  envelope: 'own',
  result: text,
  run: async ({ metrics }, { reply }) => {
    const written = await metrics.text();
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(written);
  },
});

const telemetry = endpoint({
  method: 'GET',
  path: '/telemetry',
  summary: 'What runs here; nothing is sent to anybody',
  access: 'read',
  query: object({}, { details_level: string(), anonymize: string() }),
  result: object({
    id: string(),
    // The dialect, which clients look for here; what runs is told beside it.
    app: object({ name: string(), version: string(), startup: string() }),
    leandex: object({ version: string() }),
    collections: object({ number_of_collections: { type: 'integer' } }),
  }),
  run: async ({ catalog, version, startedAt, id }) => ({
    id,
    app: { name: 'qdrant', version: DIALECT_VERSION, startup: startedAt.toISOString() },
    leandex: { version },
    collections: { number_of_collections: (await catalog.names()).length },
  }),
});

const cluster = endpoint({
  method: 'GET',
  path: '/cluster',
  summary: 'Whether there are other machines: there are none',
  access: 'read',
  result: object({ status: string() }),
  run: () => ({ status: 'disabled' }),
});

const openapi = endpoint({
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  access: 'read',
  envelope: 'bare',
  result: anything(),
  run: ({ openapi }) => openapi(),
});

export const service: readonly Endpoint[] = [
  about,
  alive('/healthz'),
  alive('/livez'),
  ready,
  metrics,
  telemetry,
  cluster,
  openapi,
];
