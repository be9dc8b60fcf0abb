import { readdir, readFile } from 'node:fs/promises';
import type { FastifyReply } from 'fastify';
import { type Endpoint, endpoint } from '../endpoint.js';
import { refused } from '../errors.js';
import { string } from '../schema.js';

/** What pages of the dashboard may do: speak to this server, and nothing that is not in its files. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Tests run the sources, whose scripts for browsers are compiled in dist. */
const FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/src/server/dashboard/page/' : './page/',
  import.meta.url,
);

let files: Promise<ReadonlyMap<string, Buffer>> | undefined;

/** The files of the dashboard by name, read once. No path of a request is ever one of a file. */
export function dashboardFiles(): Promise<ReadonlyMap<string, Buffer>> {
  files ??= readAll();
  return files;
}

async function readAll(): Promise<ReadonlyMap<string, Buffer>> {
  const all = await readdir(FOLDER);
  const names = all.filter((name) => !name.endsWith('.d.ts'));
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(new URL(name, FOLDER))] as const),
    ),
  );
}

async function sendFile(reply: FastifyReply, name: string): Promise<void> {
  const file = (await dashboardFiles()).get(name);
  if (file === undefined) throw refused(404, 'Not found: the dashboard has no such file');
  reply
    .headers({
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      // Another version of leandex has other files of the same names.
      'cache-control': 'no-cache',
    })
    .type(TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream')
    .send(file);
}

const page = endpoint({
  method: 'GET',
  path: '/dashboard',
  summary: 'The dashboard. It holds no data: it asks for a key where the server has one',
  access: 'open',
  envelope: 'own',
  result: string(),
  run: (_, { reply }) => sendFile(reply, 'index.html'),
});

const file = endpoint({
  method: 'GET',
  path: '/dashboard/{file_name}',
  summary: 'A script, style or picture of the dashboard',
  access: 'open',
  envelope: 'own',
  result: string(),
  run: (_, { params, reply }) => sendFile(reply, params.file_name!),
});

export const dashboard: readonly Endpoint[] = [page, file];
