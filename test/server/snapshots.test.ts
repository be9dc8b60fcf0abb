import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { refusalOf } from '../../src/server/errors.js';
import type { Server } from '../../src/server/index.js';
import { call, emptyFolder, serveHere } from './support.js';

const VECTORS = { vectors: { size: 2, distance: 'Dot' } };
const SNAPSHOTS = '/collections/a/snapshots';

let parent: string;
let server: Server;

beforeEach(async () => {
  parent = emptyFolder();
  server = await serveHere({}, join(parent, 'data'));
  await call(server, 'PUT', '/collections/a', VECTORS);
  await call(server, 'PUT', '/collections/a/points', { points: [{ id: 1, vector: [1, 2] }] });
});

async function download(): Promise<{ name: string; bytes: Buffer; checksum: string }> {
  const { name, checksum } = (await call(server, 'POST', SNAPSHOTS, {})).body.result;
  const response = await fetch(`${server.url}${SNAPSHOTS}/${name}`);
  expect(response.status).toBe(200);
  return { name, bytes: Buffer.from(await response.arrayBuffer()), checksum };
}

async function upload(bytes: Uint8Array, path: string, field = 'snapshot') {
  const form = new FormData();
  form.set(field, new Blob([Uint8Array.from(bytes)]), 'x.snapshot');
  const response = await fetch(server.url + path, { method: 'POST', body: form });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of all shapes.
  return { status: response.status, body: (await response.json()) as any };
}

const countOf = async (name: string) =>
  (await call(server, 'POST', `/collections/${name}/points/count`, {})).body?.result?.count;

test('what is downloaded is what the checksum says, and can be uploaded', async () => {
  const { bytes, checksum } = await download();
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(checksum);
  const path = '/collections/b/snapshots/upload';
  expect((await upload(bytes, `${path}?checksum=${checksum}&priority=snapshot`)).status).toBe(200);
  expect(await countOf('b')).toBe(1);
});

test('a wrong checksum, damage or another form leaves everything as it was', async () => {
  const { bytes } = await download();
  const path = `${SNAPSHOTS}/upload`;
  const wrong = await upload(bytes, `${path}?checksum=${'0'.repeat(64)}`);
  expect(wrong.body.status.error).toMatch(/checksum/);
  expect((await upload(bytes, path, 'file')).status).toBe(400);
  expect((await call(server, 'POST', path, {})).status).toBe(400);
  for (const damaged of [bytes.subarray(0, 50_000), Buffer.from('nonsense'), Buffer.alloc(0)]) {
    const { status } = await upload(damaged, path);
    expect([400, 422]).toContain(status);
  }
  expect(await countOf('a')).toBe(1);
  expect((await call(server, 'GET', '/collections')).body.result.collections).toEqual([
    { name: 'a' },
  ]);
});

test('a collection that is replaced is never gone meanwhile', async () => {
  const { bytes } = await download();
  let isDone = false;
  const uploading = upload(bytes, `${SNAPSHOTS}/upload`).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const { body } = await call(server, 'GET', '/collections');
    expect(body.result.collections).toEqual([{ name: 'a' }]);
  }
  expect((await uploading).status).toBe(200);
});

test('a location whose folder is no name of a collection is refused', async () => {
  const location = join(parent, 'data-snapshots', '%zz', 'x.snapshot');
  const { status } = await call(server, 'PUT', `${SNAPSHOTS}/recover`, { location });
  expect(status).toBe(403);
});

test('what copies or sends a snapshot has a time of its own, whatever others have', async () => {
  const limits = { concurrent: 1, timeoutSeconds: 3600, snapshotTimeoutSeconds: 1 };
  const small = await serveHere({ limits }, join(parent, 'other'));
  // The only place is taken by a request whose body does not come.
  const slow = request(`${small.url}/collections/a/points`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'content-length': 100 },
  }).on('error', () => {});
  slow.flushHeaders();
  // Whatever is sent after it comes after it.
  await once(slow, 'socket').then(([socket]) => socket.connecting && once(socket, 'connect'));
  expect((await call(small, 'GET', '/healthz')).status).toBe(200);
  const tries = [
    ['POST', SNAPSHOTS],
    ['GET', `${SNAPSHOTS}/x.snapshot`],
    ['POST', `${SNAPSHOTS}/upload`],
    ['PUT', `${SNAPSHOTS}/recover`],
  ] as const;
  const answers = await Promise.all(tries.map(([method, path]) => call(small, method, path)));
  expect(answers.map(({ status }) => status)).toEqual([408, 408, 408, 408]);
  slow.destroy();
});

test('an upload that does not end in time is ended, and leaves nothing', async () => {
  const limits = { timeoutSeconds: 3600, snapshotTimeoutSeconds: 1 };
  const small = await serveHere({ limits }, join(parent, 'other'));
  const uploading = request(`${small.url}${SNAPSHOTS}/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  });
  const ended = once(uploading, 'error');
  uploading.write(
    '--x\r\ncontent-disposition: form-data; name="snapshot"; filename="x"\r\n\r\nabc',
  );
  expect(String(await ended)).toMatch(/ECONNRESET|socket hang up/);
  const uploads = join(parent, 'other-snapshots', '.uploads');
  await expect.poll(() => readdirSync(uploads)).toEqual([]);
});

test('what was being uploaded when a server was killed is removed by the next that writes', async () => {
  const { name } = await download();
  const uploads = join(parent, 'data-snapshots', '.uploads');
  mkdirSync(uploads);
  writeFileSync(join(uploads, '1-2'), 'half');
  await serveHere({ readOnly: true }, join(parent, 'data'));
  expect(readdirSync(uploads)).toEqual(['1-2']);
  await server.close();
  const again = await serveHere({}, join(parent, 'data'));
  expect(existsSync(uploads)).toBe(false);
  expect((await call(again, 'GET', SNAPSHOTS)).body.result[0].name).toBe(name);
});

test('an upload that is too large is 413', async () => {
  const small = await serveHere({ limits: { snapshotBytes: 1000 } }, join(parent, 'other'));
  const form = new FormData();
  form.set('snapshot', new Blob([new Uint8Array(5000)]), 'x');
  const body = { method: 'POST', body: form };
  expect((await fetch(`${small.url}/collections/b/snapshots/upload`, body)).status).toBe(413);
});

test('only files in the folder of the snapshots are restored or given out', async () => {
  const { bytes } = await download();
  writeFileSync(join(parent, 'outside.snapshot'), bytes);
  mkdirSync(join(parent, 'data-snapshots', 'a', 'deeper'));
  writeFileSync(join(parent, 'data-snapshots', 'a', 'deeper', 'x.snapshot'), bytes);
  for (const [location, status] of [
    [join(parent, 'outside.snapshot'), 403],
    [`file://${parent}/data-snapshots/a/../../outside.snapshot`, 403],
    [`${parent}/data-snapshots/a/deeper/x.snapshot`, 403],
    [`${parent}/data/catalog.sqlite`, 403],
    ['/etc/passwd', 403],
    ['file:///etc/passwd', 403],
    ['file://host/x', 400],
    ['http://127.0.0.1:1/x.snapshot', 400],
    [`${parent}/data-snapshots/a/none.snapshot`, 404],
  ] as const) {
    const answer = await call(server, 'PUT', '/collections/b/snapshots/recover', { location });
    expect([location, answer.status]).toEqual([location, status]);
  }
  for (const name of [
    '..%2F..%2Foutside.snapshot',
    '..',
    '%2Fetc%2Fpasswd',
    'none.snapshot',
    '.checksum',
  ]) {
    const answer = await call(server, 'GET', `${SNAPSHOTS}/${name}`);
    expect([name, answer.status]).toEqual([name, name === '..' ? 200 : 404]);
  }
});

test('names that no file can have are kept apart', async () => {
  const names = ['..', 'ä ö', 'a.b', 'A'];
  for (const name of names) {
    const path = `/collections/${encodeURIComponent(name).replaceAll('.', '%2E')}`;
    // A path of two dots is another path before it is sent.
    if (name === '..') continue;
    expect((await call(server, 'PUT', path, VECTORS)).status).toBe(200);
    expect((await call(server, 'POST', `${path}/snapshots`, {})).status).toBe(200);
    expect((await call(server, 'GET', `${path}/snapshots`)).body.result).toHaveLength(1);
  }
});

test('nothing is kept where all is in memory', async () => {
  const { url } = await serveHere();
  await call({ url }, 'PUT', '/collections/a', VECTORS);
  const answer = await call({ url }, 'POST', SNAPSHOTS, {});
  expect([answer.status, answer.body.status.error]).toEqual([
    400,
    expect.stringMatching(/no folder/),
  ]);
  expect((await call({ url }, 'GET', SNAPSHOTS)).body.result).toEqual([]);
});

test('a disk without room for an upload is 507, and no fault of the server', () => {
  const error = Object.assign(new Error('ENOSPC: no space left, write /secret'), {
    code: 'ENOSPC',
  });
  const refusal = refusalOf(error);
  expect(refusal).toMatchObject({ status: 507, code: 'RESOURCE_EXHAUSTED' });
  expect(refusal.message).not.toContain('secret');
});
