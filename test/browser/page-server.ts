import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Everything that the page may load; all else is 404. */
const FOLDERS = ['/dist/src/', '/node_modules/@msgpack/msgpack/dist.esm/', '/test/browser/'];

const IMPORT_MAP = {
  imports: {
    leandex: '/dist/src/index.js',
    '@msgpack/msgpack': '/node_modules/@msgpack/msgpack/dist.esm/index.mjs',
  },
};

const PAGE = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>
`;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

/** Serves an empty page and the modules that it can import, without a bundler in between. */
export async function servePage(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    // The URL parser resolves "..", so a path that starts with one of the folders stays in it.
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const type = pathname === '/' ? 'text/html' : MEDIA_TYPES[extname(pathname)];
    const body = pathname === '/' ? PAGE : await contentOf(pathname).catch(() => undefined);
    if (type === undefined || body === undefined) {
      response.writeHead(404).end();
    } else {
      response.writeHead(200, { 'content-type': type }).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function contentOf(pathname: string): Promise<Buffer | undefined> {
  if (!FOLDERS.some((folder) => pathname.startsWith(folder))) return undefined;
  return readFile(join(ROOT, pathname));
}
