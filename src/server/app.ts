import multipart from '@fastify/multipart';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { authorizer, hostChecker } from './auth.js';
import type { Endpoint, ServerContext } from './endpoint.js';
import { refusalOf, refused } from './errors.js';
import type { Gate } from './gate.js';
import { MSGPACK, secondsOf, send, sendRefusal, sendResult } from './respond.js';
import { schemaError } from './validation.js';
import { parseJson } from './wire/json.js';
import { parseMsgpack } from './wire/msgpack.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Ends the request: its time is up, or nobody waits for the answer. */
    ending: AbortController;
    /** Gives the place among those that are worked on to another. */
    leave: (() => void) | undefined;
    timer: NodeJS.Timeout | undefined;
  }
}

/** Longer than any name, percent-encoded. */
const PARAMETER_MAX = 2048;
const HEADERS_TIMEOUT_MS = 60_000;

/** The server without its address: parsers, checks that come before a body is read, endpoints. */
export async function createApp(
  context: ServerContext,
  gate: Gate,
  endpoints: readonly Endpoint[],
): Promise<FastifyInstance> {
  const { options } = context;
  const { bodyBytes, snapshotBytes } = options.limits;
  const app = fastify({
    bodyLimit: bodyBytes,
    logger: {
      level: options.logLevel ?? 'info',
      // Neither payloads nor headers, which hold keys.
      serializers: { req: ({ id, method }) => ({ id, method }) },
      stream: options.logStream ?? process.stderr,
    },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    connectionTimeout: HEADERS_TIMEOUT_MS + 1000 * options.limits.timeoutSeconds,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PARAMETER_MAX },
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
        verbose: true,
      },
    },
    schemaErrorFormatter: (errors, part) => schemaError(errors, part),
    frameworkErrors: (error, request, reply) => {
      sendRefusal(request, reply as FastifyReply, refusalOf(error));
    },
  });
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  addParsers(app);
  await app.register(multipart, { limits: { fileSize: snapshotBytes, files: 1, fields: 4 } });
  addGuards(app, context, gate, endpoints);
  addOutcomes(app, context, endpoints);
  for (const endpoint of endpoints) addEndpoint(app, context, endpoint);
  return app;
}

function addParsers(app: FastifyInstance): void {
  const parser = (what: string, parse: (bytes: Buffer) => unknown) => {
    return (
      _: FastifyRequest,
      body: string | Buffer,
      done: (e: Error | null, v?: unknown) => void,
    ) => {
      const bytes = body as Buffer;
      // Some clients say what kind of body they send even where they send none.
      if (bytes.length === 0) return done(null, {});
      let value: unknown;
      try {
        value = parse(bytes);
      } catch (error) {
        return done(refused(400, `Format error in ${what} body: ${(error as Error).message}`));
      }
      done(null, value);
    };
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parser('JSON', parseJson));
  app.addContentTypeParser(MSGPACK, { parseAs: 'buffer' }, parser('msgpack', parseMsgpack));
}

/** What is checked before the body of a request is read. */
function addGuards(
  app: FastifyInstance,
  { options }: ServerContext,
  gate: Gate,
  endpoints: readonly Endpoint[],
): void {
  const checkHost = hostChecker(options);
  const authorize = authorizer(options);
  const known = new Map(endpoints.map((one) => [keyOf(one.method, pathOf(one)), one]));
  app.decorateRequest('ending');
  app.decorateRequest('leave', undefined);
  app.decorateRequest('timer', undefined);
  app.addHook('onRequest', async (request, reply) => {
    request.ending = new AbortController();
    checkHost(request.headers.host);
    // A path that there is not tells as little as one that there is.
    const { access = 'read', isLong } =
      known.get(keyOf(request.method, request.routeOptions.url ?? '')) ?? {};
    authorize(request.headers, access);
    const { timeoutSeconds, snapshotTimeoutSeconds } = options.limits;
    const seconds = timeoutOf(request) ?? (isLong ? snapshotTimeoutSeconds : timeoutSeconds);
    request.timer = setTimeout(() => endInTime(request), 1000 * seconds);
    // While a request is worked on nothing comes or goes.
    request.raw.socket.setTimeout(HEADERS_TIMEOUT_MS + 1000 * seconds);
    reply.raw.once('close', () => {
      clearTimeout(request.timer);
      request.leave?.();
      // Only where nobody waits any more: an abort makes an error, which takes its time.
      if (!reply.raw.writableFinished) request.ending.abort();
    });
    if (access !== 'open') request.leave = await gate.enter(request.ending.signal);
    // Whoever went away while waiting has left already.
    if (reply.raw.closed) request.leave?.();
  });
}

/** Who sends slowly keeps the place of others. */
function endInTime(request: FastifyRequest): void {
  request.ending.abort();
  if (!request.raw.complete) request.raw.destroy();
}

/** Seconds that a request gives itself. */
function timeoutOf({ query }: FastifyRequest): number | undefined {
  const { timeout } = query as { timeout?: unknown };
  return typeof timeout === 'string' && /^[1-9]\d{0,5}$/.test(timeout)
    ? Number(timeout)
    : undefined;
}

/** What becomes of requests: errors, one line in the log, one in the statistics. */
function addOutcomes(
  app: FastifyInstance,
  { metrics, isEnding }: ServerContext,
  endpoints: readonly Endpoint[],
): void {
  const documented = new Map(endpoints.map((one) => [pathOf(one), one.path]));
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.status === 500) request.log.error({ err: error }, 'a request failed');
    return sendRefusal(request, reply, refusal);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = 'Not found: there is nothing at this path for this method';
    return sendRefusal(request, reply, { status: 404, message, code: 'NOT_FOUND' });
  });
  // Connections that are kept open would keep the server from ending.
  app.addHook('onSend', async (_, reply) => {
    if (isEnding()) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    // Not as it was sent: there would be no end of them.
    const endpoint = documented.get(request.routeOptions.url ?? '') ?? 'none';
    const { statusCode: status } = reply;
    metrics.responded(request.method, endpoint, status, secondsOf(reply));
    const ms = Math.round(1000 * reply.elapsedTime) / 1000;
    request.log.info({ method: request.method, route: endpoint, status, ms }, 'request');
  });
}

function addEndpoint(app: FastifyInstance, context: ServerContext, endpoint: Endpoint): void {
  const { method, query, body, isBodyOptional, envelope = 'qdrant', run } = endpoint;
  app.route({
    method,
    url: pathOf(endpoint),
    schema: { ...(query && { querystring: query }), ...(body && { body }) },
    exposeHeadRoute: false,
    ...(isBodyOptional && {
      preValidation: async (request: FastifyRequest) => {
        if (request.body === undefined) request.body = {};
      },
    }),
    handler: async (request, reply) => {
      const { signal } = request.ending;
      const { params, query, body } = request;
      const call = { params, query, body, signal, request, reply } as never;
      const result = await run(context, call);
      if (envelope === 'own') return reply;
      return envelope === 'bare'
        ? send(request, reply, result)
        : sendResult(request, reply, result);
    },
  });
}

const keyOf = (method: string | readonly string[], url: string) => `${String(method)} ${url}`;

/** A path as the framework writes it: `/collections/:collection_name`. */
function pathOf({ path }: Endpoint): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
