import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type ServeOptions, type Server, serve } from '../../src/server/index.js';

const servers: Server[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.allSettled(servers.splice(0).map((server) => server.close({ graceSeconds: 0 })));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-server-'));
  folders.push(folder);
  return folder;
}

/** A server on a free port, closed after the test. */
export async function serveHere(options: ServeOptions = {}, folder = ':memory:'): Promise<Server> {
  const server = await serve(folder, { port: 0, logLevel: 'silent', ...options });
  servers.push(server);
  await server.ready;
  return server;
}

/** What a server answers. */
export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of all shapes.
  body: any;
  text: string;
}

/** Sends a request with a body of JSON, or as it is where it is a text. */
export async function call(
  { url }: Pick<Server, 'url'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : undefined,
    text,
  };
}
