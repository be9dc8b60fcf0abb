import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Database } from '../../src/db/database.js';
import { open } from '../../src/db/open.js';
import { createApp } from '../../src/server/app.js';
import { endpoint, type ServerContext } from '../../src/server/endpoint.js';
import { Gate } from '../../src/server/gate.js';
import { type Server, serve } from '../../src/server/index.js';
import { resolveServeOptions } from '../../src/server/options.js';
import { call, emptyFolder, serveHere } from './support.js';

const KEY = 'a-secret-key';
const READING = 'a-reading-key';
const KEYS = { apiKey: KEY, readOnlyApiKey: READING };
const VECTORS = { vectors: { size: 2, distance: 'Dot' } };

describe('keys', () => {
  test.each([
    ['api-key', KEY],
    ['authorization', `Bearer ${KEY}`],
  ])('%s opens everything', async (name, value) => {
    const server = await serveHere(KEYS);
    const made = await call(server, 'PUT', '/collections/a', VECTORS, { [name]: value });
    expect(made.status).toBe(200);
    expect((await call(server, 'GET', '/metrics', undefined, { [name]: value })).status).toBe(200);
  });

  test('none or a wrong one is 401, in plain text, also for paths that there are not', async () => {
    const server = await serveHere(KEYS);
    for (const path of ['/collections', '/collections/a', '/metrics', '/telemetry', '/nowhere']) {
      const none = await call(server, 'GET', path);
      expect([none.status, none.text]).toEqual([
        401,
        'Must provide an API key or an Authorization bearer token',
      ]);
      for (const key of ['wrong', `${KEY}x`, KEY.slice(1), 'é']) {
        const wrong = await call(server, 'GET', path, undefined, {
          'api-key': encodeURIComponent(key),
        });
        expect([wrong.status, wrong.text]).toEqual([401, 'Invalid API key or JWT']);
      }
    }
  });

  test('some paths are open', async () => {
    const server = await serveHere(KEYS);
    for (const path of ['/', '/healthz', '/livez', '/readyz']) {
      expect((await call(server, 'GET', path)).status).toBe(200);
    }
  });

  test('a key that may only read reads', async () => {
    const server = await serveHere(KEYS);
    await call(server, 'PUT', '/collections/a', VECTORS, { 'api-key': KEY });
    const reading = { 'api-key': READING };
    const counted = await call(server, 'POST', '/collections/a/points/count', {}, reading);
    expect(counted.body.result).toEqual({ count: 0 });
    const written = await call(server, 'DELETE', '/collections/a', undefined, reading);
    expect(written.status).toBe(403);
    expect(written.body.status.error).toMatch(/^Forbidden: /);
  });

  test('are checked before the body is read', async () => {
    const server = await serveHere({ ...KEYS, limits: { bodyBytes: 100 } });
    const answer = await raw(server, 'PUT /collections/a HTTP/1.1', {
      host: 'localhost',
      'content-type': 'application/json',
      'content-length': '1000000',
    });
    // None of a million bytes was sent, and more than is allowed was announced.
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });
});

/** Sends a head and nothing else; what comes back until it is enough, or the end. */
function raw({ url }: Server, first: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`${[first, ...lines].join('\r\n')}\r\n\r\n`);
    socket.on('data', (data) => {
      text += data;
      if (!text.includes('\r\n\r\n')) return;
      socket.destroy();
      resolve(text);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('addresses', () => {
  test.each(['0.0.0.0', '::', '192.168.0.1', 'example.com'])('%s needs a key', async (host) => {
    await expect(serve(':memory:', { host })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('there is no API key'),
    });
  });

  test.each([
    [{ port: 70_000 }, /port/],
    [{ apiKey: 'short' }, /apiKey must be 8 to 1,024 visible/],
    [{ readOnlyApiKey: READING }, /apiKey must be given/],
    [{ limits: { queue: -1 } }, /limits.queue/],
    [{ limits: { more: 1 } as object }, /limits/],
    [{ colour: 'red' } as object, /options of serve/],
  ])('%j is refused', async (options, message) => {
    await expect(serve(':memory:', options)).rejects.toThrow(message);
  });

  test('a port that is taken is told', async () => {
    const { url } = await serveHere();
    const again = serve(':memory:', { port: Number(new URL(url).port), logLevel: 'silent' });
    await expect(again).rejects.toMatchObject({ code: 'IO_ERROR' });
  });

  test('on loopback only names of this machine are answered', async () => {
    const server = await serveHere({ allowedHosts: ['Mine.example'] });
    const statusFor = async (host: string) => {
      const answer = await raw(server, 'GET / HTTP/1.1', { host });
      return Number(answer.split(' ')[1]);
    };
    for (const host of [
      'localhost',
      'LOCALHOST:6333',
      '127.0.0.1:1',
      '127.1.2.3',
      '[::1]:80',
      'mine.example',
    ]) {
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
      '10.0.0.1',
      '',
    ]) {
      expect([host, await statusFor(host)]).toEqual([host, 403]);
    }
  });

  test('no page of another origin is let in', async () => {
    const server = await serveHere();
    const { headers } = await call(server, 'GET', '/', undefined, {
      origin: 'http://evil.example',
    });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const preflight = await call(server, 'OPTIONS', '/collections', undefined, {
      origin: 'http://evil.example',
      'access-control-request-method': 'PUT',
    });
    expect(preflight.status).toBe(404);
  });
});

describe('limits', () => {
  test('a body that is too large is 413, in the envelope', async () => {
    const server = await serveHere({ limits: { bodyBytes: 1000 } });
    const answer = await call(server, 'PUT', '/collections/a', { x: 'y'.repeat(2000) });
    expect(answer.status).toBe(413);
    expect(answer.body.status.error).toBe('Bad request: the body is too large');
  });

  test('batches, results and searches have an end', async () => {
    const server = await serveHere({ limits: { batch: 2, results: 10, searches: 2 } });
    await call(server, 'PUT', '/collections/a', VECTORS);
    const points = [1, 2, 3].map((id) => ({ id, vector: [1, id] }));
    const refused = async (method: string, path: string, body: unknown) => {
      const answer = await call(server, method, `/collections/a${path}`, body);
      expect([path, answer.status]).toEqual([path, 400]);
    };
    await refused('PUT', '/points', { points });
    await refused('POST', '/points/delete', { points: [1, 2, 3] });
    await refused('POST', '/points/query', { query: [1, 1], limit: 11 });
    await refused('POST', '/points/query', { query: [1, 1], limit: 6, offset: 6 });
    await refused('POST', '/points/query/batch', { searches: [{ limit: 6 }, { limit: 6 }] });
    await refused('POST', '/points/query/batch', { searches: [{}, {}, {}] });
    await refused('POST', '/points/query/groups', { query: [1, 1], group_by: 'a', limit: 4 });
    await refused('POST', '/points/scroll', { limit: 11 });
    await refused('POST', '/points/batch', {
      operations: [1, 2, 3].map(() => ({ delete: { points: [1] } })),
    });
    expect((await call(server, 'POST', '/collections/a/points/query', { limit: 10 })).status).toBe(
      200,
    );
  });

  test('more requests than are worked on and wait are 429, with a time to come back', async () => {
    const server = await serveHere({ limits: { concurrent: 1, queue: 1 } });
    // Bodies that do not come keep a place, and so does the one that waits.
    const slow = [1, 2].map(() => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      const head = 'POST /collections/a/points/count HTTP/1.1\r\nhost: localhost\r\n';
      socket.write(`${head}content-type: application/json\r\ncontent-length: 10\r\n\r\n`);
      return socket;
    });
    const look = () => call(server, 'GET', '/collections');
    let answer = await look();
    while (answer.status !== 429) answer = await look();
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.body.status.error).toMatch(/^Rate limiting exceeded: /);
    // What says whether it lives is told all the same.
    expect((await call(server, 'GET', '/healthz')).status).toBe(200);
    for (const socket of slow) socket.destroy();
    while (answer.status !== 200) answer = await look();
  });

  test('a body that does not come in time ends the request', async () => {
    const server = await serveHere({ limits: { timeoutSeconds: 1 } });
    const head = { host: 'localhost', 'content-type': 'application/json', 'content-length': '10' };
    expect(await raw(server, 'POST /collections/a/points/count HTTP/1.1', head)).toBe('');
  });
});

test('what is told of a server: log lines and statistics, without payloads and keys', async () => {
  const lines: string[] = [];
  const logStream = { write: (line: string) => void lines.push(line) };
  const server = await serveHere({ apiKey: KEY, logLevel: 'info', logStream });
  const headers = { 'api-key': KEY };
  await call(server, 'PUT', '/collections/secret-name', VECTORS, headers);
  const points = [{ id: 1, vector: [1, 2], payload: { text: 'secret-payload' } }];
  await call(server, 'PUT', '/collections/secret-name/points', { points }, headers);
  await call(server, 'GET', '/nowhere/secret-path', undefined, headers);
  const { text } = await call(server, 'GET', '/metrics', undefined, headers);
  const requests = lines.map((line) => JSON.parse(line)).filter(({ route }) => route !== undefined);
  expect(requests.slice(0, 3).map(({ method, route, status }) => [method, route, status])).toEqual([
    ['PUT', '/collections/{collection_name}', 200],
    ['PUT', '/collections/{collection_name}/points', 200],
    ['GET', 'none', 404],
  ]);
  expect(lines.join('')).not.toMatch(/secret-payload|secret-path|a-secret-key/);
  expect(text).toMatch(
    /^rest_responses_total\{method="PUT",endpoint="\/collections\/\{collection_name\}\/points",status="200"\} 1$/m,
  );
  expect(text).toMatch(/^collection_points\{id="secret-name"\} 1$/m);
  expect(text).toMatch(/^collection_vectors\{collection="secret-name",name=""\} 1$/m);
  expect(text).toMatch(/^collections_total 1$/m);
  expect(text).toMatch(/^app_info\{name="leandex",version="\d+\.\d+\.\d+"\} 1$/m);
  expect(text).toMatch(/^leandex_nodejs_eventloop_lag_seconds /m);
});

test('what Qdrant has no word for has routes of its own', async () => {
  const server = await serveHere();
  await call(server, 'PUT', '/collections/a', VECTORS);
  const points = Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1] }));
  await call(server, 'PUT', '/collections/a/points', { points });
  const info = await call(server, 'GET', '/v1/collections/a');
  expect(info.body).toMatchObject({
    name: 'a',
    count: 50,
    status: 'ready',
    vectors: { '': { size: 2 } },
  });
  const optimized = await call(server, 'POST', '/v1/collections/a/optimize?timeout=600');
  expect(optimized.body).toMatchObject({ count: 50, status: 'ready' });
  const missing = await call(server, 'GET', '/v1/collections/none');
  expect(missing.headers.get('content-type')).toContain('application/problem+json');
  expect(missing.body).toEqual({
    type: 'about:blank',
    title: 'NOT_FOUND',
    status: 404,
    detail: expect.stringContaining('`none`'),
    code: 'NOT_FOUND',
  });
});

test('closing finishes what is under way, and everything is there afterwards', async () => {
  const folder = emptyFolder();
  const server = await serveHere({}, folder);
  await call(server, 'PUT', '/collections/a', VECTORS);
  const writes = Array.from({ length: 20 }, (_, id) =>
    call(server, 'PUT', '/collections/a/points', { points: [{ id, vector: [id, 1] }] }).then(
      ({ status }) => (status === 200 ? [id] : []),
      () => [],
    ),
  );
  await writes[0];
  await server.close();
  const acknowledged = (await Promise.all(writes)).flat();
  expect(acknowledged).toContain(0);
  await expect(call(server, 'GET', '/')).rejects.toThrow();
  const again = await serveHere({}, folder);
  const { body } = await call(again, 'POST', '/collections/a/points', { ids: acknowledged });
  expect(body.result.map(({ id }: { id: number }) => id)).toEqual(acknowledged);
});

test('aliases of a collection that is gone are gone, whatever came between', async () => {
  const folder = emptyFolder();
  const first = await serveHere({}, folder);
  await call(first, 'PUT', '/collections/a', VECTORS);
  const create_alias = { collection_name: 'a', alias_name: 'b' };
  await call(first, 'POST', '/collections/aliases', { actions: [{ create_alias }] });
  await first.close();
  // As if the server had ended before it noted that.
  const db = await open(folder);
  await db.deleteCollection('a');
  await db.close();
  const second = await serveHere({}, folder);
  expect((await call(second, 'GET', '/aliases')).body.result.aliases).toEqual([]);
  expect((await call(second, 'PUT', '/collections/b', VECTORS)).status).toBe(200);
});

test('a server that may only read follows aliases, settings and collections', async () => {
  const folder = emptyFolder();
  const writer = await serveHere({}, folder);
  await call(writer, 'PUT', '/collections/a', VECTORS);
  const reader = await serveHere({ readOnly: true }, folder);
  const change = (...actions: object[]) =>
    call(writer, 'POST', '/collections/aliases', { actions });
  const found = async (name: string) =>
    (await call(reader, 'POST', `/collections/${name}/points/count`, {})).status;
  const aliases = async () =>
    (await call(reader, 'GET', '/aliases')).body.result.aliases.map(
      (one: { alias_name: string }) => one.alias_name,
    );
  expect(await found('now')).toBe(404);
  await change({ create_alias: { collection_name: 'a', alias_name: 'now' } });
  expect(await found('now')).toBe(200);
  await call(writer, 'PUT', '/collections/b', VECTORS);
  await call(writer, 'PATCH', '/collections/b', { metadata: { owner: 'me' } });
  await change(
    { delete_alias: { alias_name: 'now' } },
    { create_alias: { collection_name: 'b', alias_name: 'then' } },
  );
  expect(await aliases()).toEqual(['then']);
  expect([await found('now'), await found('then')]).toEqual([404, 200]);
  const { body } = await call(reader, 'GET', '/collections/then');
  expect(body.result.config.metadata).toEqual({ owner: 'me' });
  await call(writer, 'DELETE', '/collections/b');
  expect([await found('then'), await aliases()]).toEqual([404, []]);
});

test('collections that cannot be listed end nothing but the wait for them', async () => {
  const listing = vi.spyOn(Database.prototype, 'listCollections');
  listing.mockRejectedValueOnce(new Error('the disk fails'));
  onTestFinished(() => listing.mockRestore());
  const lines: string[] = [];
  const logStream = { write: (line: string) => void lines.push(line) };
  // An error that nobody handles would fail the test.
  const server = await serve(':memory:', { port: 0, logLevel: 'error', logStream });
  await expect
    .poll(() => lines.join(''))
    .toMatch(/the disk fails.*the collections cannot be listed/);
  expect((await call(server, 'GET', '/readyz')).status).toBe(503);
  await expect(server.ready).rejects.toThrow('the disk fails');
  await server.close();
});

test('a connection may be idle for as long as its request may take', async () => {
  const options = resolveServeOptions({ logLevel: 'silent' });
  const metrics = { responded() {} };
  const context = { options, metrics, isEnding: () => false } as unknown as ServerContext;
  const idle = endpoint({
    method: 'GET',
    path: '/idle',
    summary: '',
    access: 'open',
    result: { type: 'number' },
    run: (_, { request }) => request.raw.socket.timeout,
  });
  const app = await createApp(context, new Gate(1, 0), [idle]);
  const url = await app.listen({ port: 0 });
  try {
    for (const seconds of [1, 3600]) {
      const { body } = await call({ url }, 'GET', `/idle?timeout=${seconds}`);
      expect(body.result).toBeGreaterThan(1000 * seconds);
    }
  } finally {
    await app.close();
  }
});

test('aliases and settings are there when it is started again', async () => {
  const folder = emptyFolder();
  const first = await serveHere({}, folder);
  const settings = { metadata: { owner: 'me' }, optimizers_config: { indexing_threshold: 5 } };
  await call(first, 'PUT', '/collections/a', { ...VECTORS, ...settings });
  await call(first, 'PATCH', '/collections/a', { metadata: { since: 2020 } });
  const create_alias = { collection_name: 'a', alias_name: 'b' };
  await call(first, 'POST', '/collections/aliases', { actions: [{ create_alias }] });
  await first.close();
  const again = await serveHere({}, folder);
  const { body } = await call(again, 'GET', '/collections/b');
  expect(body.result.config).toMatchObject({
    metadata: { owner: 'me', since: 2020 },
    optimizer_config: { indexing_threshold: 5 },
  });
  await call(again, 'DELETE', '/collections/a');
  expect((await call(again, 'GET', '/aliases')).body.result).toEqual({ aliases: [] });
});
