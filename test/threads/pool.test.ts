import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { KernelName } from '../../src/kernels/exports.js';
import { Kernels } from '../../src/kernels/index.js';
import { crewOf } from '../../src/threads/crew.js';
import { PoolLease } from '../../src/threads/pool.js';
import { gaussianRows, rowOf } from '../graph/oracle.js';

const D = 32;
const rows = gaussianRows(3000, D, 1);
const options = { dimensions: D, efConstruction: 60 };

/** The threads of the pool of this process, which it keeps to itself. */
async function workersOf(lease: PoolLease): Promise<{ terminate(): Promise<number> }[]> {
  const pool = await lease.get();
  return (pool as unknown as { piscina: { threads: { terminate(): Promise<number> }[] } }).piscina
    .threads;
}

/** A program in a process of its own, on what is built; its output, once it ends by itself. */
async function program(body: string): Promise<string> {
  const entry = join(import.meta.dirname, '../../dist/src/index.js');
  const code = `import { LeanIndex } from ${JSON.stringify(entry)};
    const vectors = Float32Array.from({ length: 3000 * 16 }, (_, i) => Math.sin(i * i));
    const index = await LeanIndex.build(vectors, { dimensions: 16, efConstruction: 40 });
    const query = vectors.subarray(0, 16);
    ${body}`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], {
    timeout: 25_000,
  });
  return stdout;
}

describe('the pool', () => {
  test('fails a task that cannot run, and that alone', async () => {
    const lease = new PoolLease();
    const pool = await lease.get();
    const kernels = new Kernels({ shared: true });
    const wrong = pool.run(kernels, 'noSuchKernel' as KernelName, []);
    await expect(wrong).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/noSuchKernel failed/),
    });
    expect(await pool.run(kernels, 'heapBase', [])).toBe(kernels.call.heapBase());
    await lease.release();
  });

  test('gives results through the shared memory, one by one', async () => {
    const lease = new PoolLease();
    const crew = crewOf(await lease.get(), 8);
    expect(crew.threads).toBeLessThanOrEqual(8);
    const kernels = new Kernels({ shared: true });
    const at = kernels.copyF32([3, 4, 5, 6]);
    const dots = await crew.run(
      kernels,
      [0, 1, 2].map((i) => ({ kernel: 'dotF32', args: [at + 4 * i, at + 4 * i, 2] })),
    );
    expect(dots).toEqual([25, 41, 61]);
    await lease.release();
  });

  test('replaces a thread that dies, whose task alone fails', async () => {
    const lease = new PoolLease();
    const pool = await lease.get();
    const kernels = new Kernels({ shared: true });
    const index = await LeanIndex.build(rows, options);
    // Warm: threads are there.
    await index.searchBatch(rows.subarray(0, 64 * D), 10);
    let onProgress = () => {};
    const linking = new Promise<void>((resolve) => {
      onProgress = resolve;
    });
    const building = index.add(gaussianRows(20_000, D, 5), { onProgress });
    const outcome = building.then(
      () => undefined,
      (error) => error,
    );
    // Once the first batch is linked the threads are always at the next one.
    await linking;
    await new Promise((r) => setImmediate(r));
    await Promise.all((await workersOf(lease)).map((worker) => worker.terminate()));
    expect(await outcome).toMatchObject({ code: 'INTERNAL' });
    expect(index.count).toBe(3000);
    const { ids } = await index.searchAsync(rowOf(rows, D, 7), 3);
    expect(ids[0]).toBe(7);
    expect(await pool.run(kernels, 'heapBase', [])).toBeGreaterThan(0);
    expect([...(await index.add(rowOf(rows, D, 9)))]).toEqual([23_000]);
    expect(index.search(rowOf(rows, D, 9), 2).ids).toContain(23_000);
    expect(index.search(rowOf(rows, D, 9), 3001).ids).toHaveLength(3001);
    await Promise.all([index.close(), lease.release()]);
  });

  test('is shared by indexes and ends with the last of them', async () => {
    const lease = new PoolLease();
    const first = await LeanIndex.build(rows, options);
    const second = await LeanIndex.build(rows, { ...options, distance: 'Euclid' });
    const query = rowOf(rows, D, 3);
    await Promise.all([first.searchAsync(query, 3), second.searchAsync(query, 3)]);
    const workers = await workersOf(lease);
    expect(workers.length).toBeGreaterThan(0);
    await lease.release();
    await first.close();
    expect((await second.searchAsync(query, 3)).ids[0]).toBe(3);
    await second.close();
    const again = new PoolLease();
    expect(await workersOf(again)).toHaveLength(0);
    await again.release();
  });
});

describe('a process', () => {
  test('with an open index and an idle pool exits by itself', async () => {
    expect(await program('console.log((await index.searchAsync(query, 1)).ids[0]);')).toBe('0\n');
  });

  test('exits at once after close()', async () => {
    const body = `await index.searchBatch(vectors, 3); await index.close(); await index.close();
      console.log(process.getActiveResourcesInfo().filter((name) => /Worker|Message/.test(name)));`;
    expect(await program(body)).toBe('[]\n');
  });
});

describe('close()', () => {
  test('waits for searches and writes that are under way', async () => {
    const index = LeanIndex.fromBytes((await LeanIndex.build(rows, options)).toBytes());
    // The pool starts only now.
    const searching = index.searchAsync(rowOf(rows, D, 5), 3);
    const adding = index.add(gaussianRows(1200, D, 2));
    const closing = index.close();
    expect(index.close()).toBe(closing);
    await closing;
    expect((await searching).ids[0]).toBe(5);
    expect(await adding).toHaveLength(1200);
  });

  test('is the end: all else is refused', async () => {
    const index = await LeanIndex.build(rows.subarray(0, 50 * D), options);
    await index.close();
    await index.close();
    const query = rowOf(rows, D, 0);
    const closed = { code: 'CLOSED', message: 'the index is closed' };
    const refusal = expect.objectContaining(closed);
    expect(() => index.search(query, 1)).toThrow(refusal);
    expect(() => index.allowList([1])).toThrow(refusal);
    expect(() => index.toBytes()).toThrow(refusal);
    for (const refused of [
      index.searchAsync(query, 1),
      index.searchBatch(query, 1),
      index.add(query),
      index.update(0, query),
      index.delete([0]),
      index.compact(),
    ]) {
      await expect(refused).rejects.toMatchObject(closed);
    }
    expect(index.count).toBe(50);
  });
});
