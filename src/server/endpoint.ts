import type { FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Access } from './auth.js';
import type { Catalog } from './catalog.js';
import type { Metrics } from './metrics.js';
import type { ResolvedOptions } from './options.js';
import type { Schema } from './schema.js';
import type { Snapshots } from './snapshots.js';

/** What endpoints work with. */
export interface ServerContext {
  catalog: Catalog;
  snapshots: Snapshots;
  metrics: Metrics;
  options: ResolvedOptions;
  /** Of leandex. */
  version: string;
  /** Whether all collections are open, and the server is not about to end. */
  isReady: () => boolean;
  /** Whether the server takes no more requests. */
  isEnding: () => boolean;
  startedAt: Date;
  /** Of this run of the server. */
  id: string;
  /** The OpenAPI document of all endpoints. */
  openapi: () => object;
}

/** A checked request. */
export interface Call<Query = unknown, Body = unknown> {
  params: Readonly<Record<string, string>>;
  query: Query;
  body: Body;
  /** Fires when time is up or the client has gone. */
  signal: AbortSignal;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** How a result is sent: in Qdrant's envelope, as JSON by itself, or as whatever the endpoint sent. */
export type Envelope = 'qdrant' | 'bare' | 'own';

export interface Endpoint {
  method: HTTPMethods;
  /** As OpenAPI writes it: `/collections/{collection_name}`. */
  path: string;
  summary: string;
  access: Access;
  query?: Schema<unknown>;
  body?: Schema<unknown>;
  /** Whether no body means an empty object. */
  isBodyOptional?: boolean;
  /** Of what is in the envelope. */
  result: Schema<unknown>;
  envelope?: Envelope;
  /** Whether it takes files: such bodies are not read before it runs. */
  isUpload?: boolean;
  /** Whether it copies or sends a whole snapshot, for which there is more time. */
  isLong?: boolean;
  run: (context: ServerContext, call: Call<never, never>) => unknown;
}

/** An endpoint whose function is checked against its schemas. */
export function endpoint<Query = Record<string, never>, Body = undefined>(
  described: Omit<Endpoint, 'query' | 'body' | 'run'> & {
    query?: Schema<Query>;
    body?: Schema<Body>;
    run: (context: ServerContext, call: Call<Query, Body>) => unknown;
  },
): Endpoint {
  return described as Endpoint;
}
