import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { nodeFileSystem } from '../../src/format/file-system.js';
import { isSyncFailure, replaceFile } from '../../src/format/replace-file.js';
import { openToRead } from '../../src/store/safe-file.js';
import { DiskModel } from '../store/disk-model.js';
import { temporaryFolder } from '../store/support.js';

const PATH = '/data/graph.leandex';

function bytesOf(seed: number, length: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}

const OLD = bytesOf(1, 3000);
const NEW = bytesOf(2, 4321);
const BEFORE = { [PATH]: OLD, '/data/other': bytesOf(3, 10) };

const replace = (disk: DiskModel, bytes = NEW) =>
  replaceFile(disk, PATH, async (write) => {
    await write(bytes.subarray(0, 1500));
    await write(bytes.subarray(1500, 1500));
    await write(bytes.subarray(1500));
  });

async function contentOf(disk: DiskModel): Promise<Uint8Array | undefined> {
  const file = await openToRead(disk, PATH);
  if (file === undefined) return undefined;
  const bytes = new Uint8Array(new SharedArrayBuffer(file.byteLength));
  await file.read(bytes, 0);
  await file.close();
  return Uint8Array.from(bytes);
}

const failure = (code: string) =>
  Object.assign(new Error(`made up ${code}`), { code, syscall: 'x' });

describe('replaceFile', () => {
  test('puts the new file in the place of the old one, on a real disk too', async () => {
    const disk = new DiskModel(BEFORE);
    await replace(disk);
    expect(await contentOf(disk)).toEqual(NEW);
    const folder = join(temporaryFolder(), 'inner');
    mkdirSync(folder);
    const path = join(folder, 'graph.leandex');
    const shared = new Uint8Array(new SharedArrayBuffer(NEW.length));
    shared.set(NEW);
    for (const bytes of [OLD, shared]) {
      await replaceFile(nodeFileSystem, path, (write) => write(bytes));
      expect(Uint8Array.from(readFileSync(path))).toEqual(Uint8Array.from(bytes));
      expect(readdirSync(folder)).toEqual(['graph.leandex']);
    }
  });

  test.each([
    ['an old file', BEFORE],
    ['no old file', { '/data/other': bytesOf(3, 10) }],
  ])('with %s, leaves the old or the new one after a crash at any moment', async (_, before) => {
    const disk = new DiskModel(before as Record<string, Uint8Array>);
    await replace(disk);
    const random = new Random(4);
    const seen = new Set<string>();
    for (let count = 0; count <= disk.events.length; count++) {
      for (let sample = 0; sample < 40; sample++) {
        const content = await contentOf(
          disk.crashedAfter(count, before as Record<string, Uint8Array>, random),
        );
        const old = (before as Record<string, Uint8Array>)[PATH];
        const isOld =
          content === undefined
            ? old === undefined
            : old !== undefined && Buffer.from(old).equals(content);
        if (!isOld) expect(content).toEqual(NEW);
        seen.add(isOld ? 'old' : 'new');
        // Once it has resolved the new one is there for good.
        if (count === disk.events.length) expect(isOld).toBe(false);
      }
    }
    expect(seen).toEqual(new Set(['old', 'new']));
  });

  test('the model would show a missing sync of the file', async () => {
    const disk = new DiskModel(BEFORE);
    await replace(disk);
    const { events } = disk;
    events.splice(
      events.findIndex(({ kind }) => kind === 'sync'),
      1,
    );
    const random = new Random(5);
    const contents = await Promise.all(
      Array.from({ length: 40 }, () => contentOf(disk.crashedAfter(events.length, BEFORE, random))),
    );
    expect(contents.some((one) => !Buffer.from(NEW).equals(one!))).toBe(true);
  });

  test.each([
    'EIO',
    'ENOSPC',
    'EMFILE',
  ])('fails as a whole when any operation fails with %s', async (code) => {
    const { operations } = await replaced();
    for (let failing = 0; failing < operations; failing++) {
      let failed = '';
      const disk = new DiskModel(BEFORE);
      disk.failWith = (operation, name) => {
        if (operation !== failing) return undefined;
        failed = name;
        return failure(code);
      };
      const error = await replace(disk).then(
        () => undefined,
        (reason) => reason,
      );
      // A folder that cannot be closed after its sync changes nothing.
      expect(error, `${failing}: ${failed}`).toBeDefined();
      const isSync = failed === 'sync' || failed === 'syncFolder';
      expect(isSyncFailure(error)).toBe(isSync);
      expect(error.code).toBe(isSync || code === 'EIO' ? 'IO_ERROR' : 'RESOURCE_EXHAUSTED');
      const content = Buffer.from((await contentOf(disk))!);
      expect(content.equals(OLD) || content.equals(NEW)).toBe(true);
      const random = new Random(failing);
      for (let sample = 0; sample < 10; sample++) {
        const left = Buffer.from(
          (await contentOf(disk.crashedAfter(disk.events.length, BEFORE, random)))!,
        );
        expect(left.equals(OLD) || left.equals(NEW)).toBe(true);
      }
    }
  });

  test('passes on what the writer of the parts throws, and keeps the old file', async () => {
    const disk = new DiskModel(BEFORE);
    const reason = new Error('no more');
    await expect(
      replaceFile(disk, PATH, async (write) => {
        await write(NEW);
        throw reason;
      }),
    ).rejects.toBe(reason);
    expect(await contentOf(disk)).toEqual(OLD);
    await expect(openToRead(disk, `${PATH}.tmp`)).resolves.toBeUndefined();
  });
});

async function replaced(): Promise<DiskModel> {
  const disk = new DiskModel(BEFORE);
  await replace(disk);
  return disk;
}
