import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { STORE } from '../../src/store/operations.js';
import type { FromThread, ToThread } from '../../src/store/protocol.js';
import { fileOf, openService } from '../../src/store/service.js';
import { serve } from '../../src/store/thread-server.js';
import type { Durability } from '../../src/store/types.js';
import { batchOf, float32Field, temporaryFolder } from './support.js';

/** Stands in for the disk's answer to a sync; counts them. */
const sync = vi.hoisted(() => vi.fn<() => void>());

vi.mock('node:fs', async (original) => ({ ...(await original<object>()), fsyncSync: sync }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  sync.mockReset();
});

/** A server in this thread; `ask` gives it messages that wait together. */
function open(durability: Durability) {
  const path = temporaryFolder();
  const service = openService({ path, durability, readOnly: false });
  const { folder } = STORE.create(service, 'docs', null, [float32Field(1)]);
  const answers: FromThread[] = [];
  const port = new EventEmitter() as EventEmitter & { close(): void; postMessage: unknown };
  port.postMessage = (message: FromThread) => answers.push(structuredClone(message));
  port.close = () => port.emit('end');
  const waiting: ToThread[] = [];
  serve(service, port as unknown as MessagePort, () => waiting.shift());
  let id = 0;
  const upsertOf = (x: number): ToThread => {
    const args = [batchOf([x], Float32Array.of(x))];
    return { kind: 'call', id: id++, folder, name: 'upsert', args };
  };
  const ask = (...messages: ToThread[]) => {
    answers.length = 0;
    waiting.push(...messages);
    while (waiting.length > 0) port.emit('message', waiting.shift());
    return answers.map((answer) => (answer.kind === 'error' ? answer.error.code : answer.kind));
  };
  const close = async () => {
    const ended = new Promise((resolve) => port.once('end', resolve));
    ask({ kind: 'close' });
    await ended;
    return answers.at(-1);
  };
  sync.mockClear();
  return { file: fileOf(service, folder), upsertOf, ask, close };
}

const failSync = () => {
  throw Object.assign(new Error('made up'), { code: 'EIO', syscall: 'fsync' });
};

describe('mode batched', () => {
  test('syncs the log within a second of the first write, and not for every write', async () => {
    const { upsertOf, ask, close } = open('batched');
    expect(ask(upsertOf(1))).toEqual(['value']);
    expect(ask(upsertOf(2))).toEqual(['value']);
    expect(sync).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    const syncs = sync.mock.calls.length;
    expect(syncs).toBeGreaterThan(0);
    vi.advanceTimersByTime(10_000);
    expect(sync).toHaveBeenCalledTimes(syncs);
    ask(upsertOf(3));
    vi.advanceTimersByTime(1000);
    expect(sync).toHaveBeenCalledTimes(2 * syncs);
    expect(await close()).toEqual({ kind: 'closed' });
  });

  test('refuses every write after a sync that failed', async () => {
    const { file, upsertOf, ask, close } = open('batched');
    ask(upsertOf(1));
    sync.mockImplementationOnce(failSync);
    vi.advanceTimersByTime(1000);
    expect(ask(upsertOf(2), upsertOf(3))).toEqual(['IO_ERROR', 'IO_ERROR']);
    expect(file.state.count).toBe(1);
    await close();
  });
});

describe('mode always', () => {
  test('leaves the syncs to SQLite', async () => {
    const { upsertOf, ask, close } = open('always');
    ask(upsertOf(1));
    vi.advanceTimersByTime(10_000);
    expect(sync).not.toHaveBeenCalled();
    await close();
  });

  test('a commit that fails to sync acknowledges nothing, and is the last one', async () => {
    const { file, upsertOf, ask, close } = open('always');
    ask(upsertOf(1));
    const exec = vi.spyOn(file.db, 'exec');
    const run = exec.getMockImplementation();
    exec.mockImplementation((sql) => {
      if (sql === 'COMMIT')
        throw Object.assign(new Error('made up'), { code: 'SQLITE_IOERR_FSYNC' });
      return (run ?? Object.getPrototypeOf(file.db).exec).call(file.db, sql);
    });
    expect(ask(upsertOf(2), upsertOf(3))).toEqual(['IO_ERROR', 'IO_ERROR']);
    exec.mockRestore();
    expect(ask(upsertOf(4))).toEqual(['IO_ERROR']);
    expect(file.state).toMatchObject({ count: 1, nextRow: 1, version: 1 });
    await close();
  });

  test('writes that wait together are one transaction, up to 64', async () => {
    const { file, upsertOf, ask, close } = open('always');
    const exec = vi.spyOn(file.db, 'exec');
    const writes = Array.from({ length: 100 }, (_, i) => upsertOf(i));
    expect(ask(...writes)).toEqual(writes.map(() => 'value'));
    expect(exec.mock.calls.filter(([sql]) => sql === 'COMMIT')).toHaveLength(2);
    await close();
  });
});
