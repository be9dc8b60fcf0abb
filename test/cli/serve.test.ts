import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { inFolder, run, start, useFolder } from './support.js';

const KEY = 'a-secret-key';
const VECTORS = { vectors: { size: 2, distance: 'Dot' } };

useFolder();

async function serve(folder: string, flags: string[] = [], env: Record<string, string> = {}) {
  const started = start(['serve', folder, '--port', '0', '--json', ...flags], env);
  while (!started.printed.out.includes('\n')) await once(started.child.stdout, 'data');
  const { url } = JSON.parse(started.printed.out) as { url: string };
  const send = (method: string, path: string, body?: object, headers: object = {}) =>
    fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  return { ...started, url, send };
}

describe('leandex serve', () => {
  test('serves a folder until it is told to end; nothing acknowledged is lost', async () => {
    const folder = inFolder('data');
    const { child, ended, send } = await serve(folder);
    expect((await send('PUT', '/collections/a', VECTORS)).status).toBe(200);
    let isOver = false;
    const acknowledged: number[] = [];
    const write = async (id: number) => {
      const points = [{ id, vector: [id, 1] }];
      const answer = await send('PUT', '/collections/a/points', { points }).catch(() => undefined);
      if (answer?.status === 200) acknowledged.push(id);
      else isOver = true;
    };
    // Several at once, without end.
    const writers = [0, 1, 2, 3].map(async (first) => {
      for (let id = first; !isOver; id += 4) {
        await write(id);
        if (acknowledged.length === 50) child.kill('SIGTERM');
      }
    });
    await Promise.all(writers);
    expect(await ended).toMatchObject({ code: 0 });
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);

    const again = await serve(folder);
    const found = await again.send('POST', '/collections/a/points', { ids: acknowledged });
    const { result } = (await found.json()) as { result: { id: number }[] };
    expect(result.map(({ id }) => id)).toEqual(acknowledged);
  });

  test('takes keys from the environment', async () => {
    const { send, printed } = await serve(':memory:', ['--api-key-env', 'MY_KEY'], { MY_KEY: KEY });
    expect((await send('GET', '/collections')).status).toBe(401);
    expect((await send('GET', '/collections', undefined, { 'api-key': KEY })).status).toBe(200);
    const usual = await serve(':memory:', [], { LEANDEX_API_KEY: KEY });
    expect((await usual.send('GET', '/collections')).status).toBe(401);
    expect(printed.err).not.toContain(KEY);
  });

  test.each([
    [['--host', '0.0.0.0'], /there is no API key/],
    [['--port', 'abc'], /--port.* must be an integer from 0 to 65535, received "abc"/],
    [['--port', ''], /--port.* must be an integer from 0 to 65535, received ""/],
    [['--timeout', '0'], /--timeout.* must be an integer from 1 to 86400, received "0"/],
    [['--max-body', '1e9'], /--max-body.* must be an integer from 1 to 4096, received "1e9"/],
    [['--durability', 'maybe'], /durability must be always or batched or process/],
    [['--api-key-env', 'NO_SUCH_VARIABLE'], /NO_SUCH_VARIABLE is not set/],
    [['--colour'], /unknown option/],
  ])('%j fails with a message and no stack', async (flags, message) => {
    const { code, err } = await run('serve', ':memory:', ...flags);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

test('inspect and snapshot, beside a server and without', async () => {
  const folder = inFolder('data');
  const { child, ended, send } = await serve(folder);
  await send('PUT', '/collections/a', VECTORS);
  await send('PUT', '/collections/a/points', { points: [{ id: 1, vector: [1, 2] }] });
  const { out } = await run('inspect', folder, '--json');
  expect(JSON.parse(out)).toMatchObject({ name: 'a', count: 1, status: 'ready' });
  const file = inFolder('a.snapshot');
  expect(JSON.parse((await run('snapshot', folder, 'a', file, '--json')).out)).toMatchObject({
    collection: 'a',
    bytes: expect.any(Number),
  });
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0 });
  expect((await run('snapshot', folder, 'copy', file, '--restore')).out).toBe('copy: 1 points\n');
  const table = await run('inspect', folder);
  expect(table.out).toMatch(/\| a .*\n\| copy /);
  expect((await run('inspect', folder, 'none')).code).toBe(1);
});
