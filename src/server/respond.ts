import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from './errors.js';
import { toJson } from './wire/json.js';
import { toMsgpack } from './wire/msgpack.js';

export const MSGPACK = 'application/msgpack';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Sends a value in the form that the request asked for: JSON unless it asks for msgpack. */
export function send(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  if (request.headers.accept?.includes(MSGPACK)) {
    const bytes = toMsgpack(value);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return reply.type(MSGPACK).send(buffer);
  }
  return reply.type(JSON_TYPE).send(toJson(value));
}

/** Seconds since the request began. */
export const secondsOf = (reply: FastifyReply): number => reply.elapsedTime / 1000;

/** Sends a result in Qdrant's envelope. */
export function sendResult(
  request: FastifyRequest,
  reply: FastifyReply,
  result: unknown,
): FastifyReply {
  return send(request, reply, { result, status: 'ok', time: secondsOf(reply) });
}

/** Sends what went wrong: in Qdrant's envelope, or as RFC 9457 says on leandex's own routes. */
export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, message, code, retryAfter }: Refusal,
): FastifyReply {
  reply.code(status);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (request.url.startsWith('/v1/')) {
    const problem = { type: 'about:blank', title: code, status, detail: message, code };
    return reply.type('application/problem+json').send(toJson(problem));
  }
  // What clients of Qdrant expect where a key is missing or wrong.
  if (status === 401) return reply.type('text/plain; charset=utf-8').send(message);
  return send(request, reply, { status: { error: message }, time: secondsOf(reply) });
}
