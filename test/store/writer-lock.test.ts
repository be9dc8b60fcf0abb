import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Store } from '../../src/store/store.js';
import { Child } from './child.js';
import { batchOf, float32Field, temporaryFolder } from './support.js';

const HOLD = `
  const store = await Store.open(path);
  const docs = await store.create('docs', null, [{ name: '', size: 2, originals: 'float32' }]);
  const columns = [{ field: 0, vectors: Float32Array.of(1, 2) }];
  await docs.upsert({ ids: [1], payloads: ['{}'], columns });
  console.log('open');
  setInterval(() => {}, 1000);`;

const TRY = `
  await Store.open(path).then(() => console.log('opened'), ({ code }) => console.log(code));
  process.exit();`;

describe('one writer', () => {
  test('a second one is BUSY, with the process that has it', async () => {
    const path = temporaryFolder();
    const owner = new Child(HOLD, path);
    expect(await owner.line()).toBe('open');
    await expect(Store.open(path)).rejects.toMatchObject({
      code: 'BUSY',
      message: expect.stringContaining(`process ${owner.process.pid} `),
      details: { path, pid: owner.process.pid },
    });
  });

  test('the lock of a killed process is gone, and what it wrote is there', async () => {
    const path = temporaryFolder();
    const owner = new Child(HOLD, path);
    expect(await owner.line()).toBe('open');
    await owner.kill();
    const store = await Store.open(path);
    const docs = await store.openCollection('docs');
    expect(await docs.state()).toEqual({ count: 1, nextRow: 1, version: 1 });
    await docs.upsert(batchOf([2], Float32Array.of(3, 4)));
    await store.close();
  });

  test('the same process is no exception', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    for (const again of [path, `${path}/../${path.split('/').at(-1)}`]) {
      await expect(Store.open(again)).rejects.toMatchObject({
        code: 'BUSY',
        details: { pid: process.pid },
      });
    }
    // Trying, and failing, has not given the lock away.
    const other = new Child(TRY, path);
    expect(await other.line()).toBe('BUSY');
    await store.close();
    const later = new Child(TRY, path);
    expect(await later.line()).toBe('opened');
  });

  test('what an owner says of itself may be missing or garbage', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    expect(JSON.parse(readFileSync(join(path, 'writer.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
    });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(path, 'writer.json'), '{');
    await expect(Store.open(path)).rejects.toMatchObject({ code: 'BUSY' });
    await store.close();
  });
});

describe('readers', () => {
  const READ = `
    const store = await Store.open(path, { readOnly: true });
    const docs = await store.openCollection('docs');
    for await (const _ of process.stdin) {
      console.log(JSON.stringify({ ...(await docs.state()), data: await docs.dataVersion() }));
    }
    await store.close();`;

  test('read beside a writer, and see what it has written', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const docs = await store.create('docs', null, [float32Field(2)]);
    await docs.upsert(batchOf([1], Float32Array.of(1, 2)));
    const reader = new Child(READ, path);
    const ask = async () => {
      reader.say('?');
      return JSON.parse(await reader.line());
    };
    const first = await ask();
    expect(first).toMatchObject({ count: 1, version: 1 });
    expect(await ask()).toEqual(first);
    await docs.upsert(batchOf([2, 3], Float32Array.of(1, 2, 3, 4)));
    const second = await ask();
    expect(second).toMatchObject({ count: 3, version: 2 });
    expect(second.data).not.toBe(first.data);
    // The writer closes while it reads, and another one comes.
    await store.close();
    expect(await ask()).toMatchObject({ count: 3, version: 2 });
    const next = await Store.open(path);
    await (await next.openCollection('docs')).remove({ ids: [1] });
    expect(await ask()).toMatchObject({ count: 2, version: 3 });
    await next.close();
    reader.process.stdin!.end();
    expect(await reader.exited()).toBe(0);
  });

  test('read a store that a killed writer left behind, without changing that', async () => {
    const path = temporaryFolder();
    const owner = new Child(HOLD, path);
    expect(await owner.line()).toBe('open');
    await owner.kill();
    for (let i = 0; i < 2; i++) {
      const store = await Store.open(path, { readOnly: true });
      const docs = await store.openCollection('docs');
      const [point] = await docs.read({ ids: [1] }, { payload: true, fields: [0] });
      expect(point).toMatchObject({ row: 0, payload: '{}', vectors: [Float32Array.of(1, 2)] });
      await store.close();
    }
  });

  test('are refused every write, and find no store where there is none', async () => {
    const path = temporaryFolder();
    await expect(Store.open(path, { readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const writer = await Store.open(path);
    await writer.create('docs', null, [float32Field(2)]);
    await writer.close();
    const store = await Store.open(path, { readOnly: true });
    const docs = await store.openCollection('docs');
    const writes: (() => Promise<unknown>)[] = [
      () => store.create('x', null, []),
      () => store.setConfig('docs', 1),
      () => store.remove('docs'),
      () => store.restore('x', 'file'),
      () => docs.upsert(batchOf([1], Float32Array.of(1, 2))),
      () => docs.updateVectors(batchOf([1], Float32Array.of(1, 2))),
      () => docs.deleteVectors({ ids: [1] }, [0]),
      () => docs.remove({ ids: [1] }),
      () => docs.changePayload({ ids: [1] }, { kind: 'clear' }),
      () => docs.reclaim(),
      () => docs.replaceFile('a.leandex', async () => {}),
      () => docs.removeFile('a.leandex'),
    ];
    for (const call of writes) await expect(call()).rejects.toMatchObject({ code: 'READ_ONLY' });
    await store.close();
  });
});
