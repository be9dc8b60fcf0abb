import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/format/file-system.js';
import { openToRead, removeFile } from '../../src/store/safe-file.js';
import { DiskModel } from './disk-model.js';
import { temporaryFolder } from './support.js';

const PATH = '/data/graph.leandex';

test('a file that is removed is none, also when it is removed again', async () => {
  const path = join(temporaryFolder(), 'graph.leandex');
  writeFileSync(path, 'abc');
  await removeFile(nodeFileSystem, path);
  await removeFile(nodeFileSystem, path);
  expect(await openToRead(nodeFileSystem, path)).toBeUndefined();
});

test('a file that is shorter than asked for is CORRUPT; one that cannot be read IO_ERROR', async () => {
  const disk = new DiskModel({ [PATH]: Uint8Array.of(1, 2, 3) });
  const file = (await openToRead(disk, PATH))!;
  await expect(file.read(new Uint8Array(10), 0)).rejects.toMatchObject({
    code: 'CORRUPT',
  });
  disk.failWith = () => Object.assign(new Error('made up'), { code: 'EIO', syscall: 'x' });
  await expect(file.read(new Uint8Array(10), 0)).rejects.toMatchObject({ code: 'IO_ERROR' });
  await expect(openToRead(disk, PATH)).rejects.toMatchObject({ code: 'IO_ERROR' });
  await expect(removeFile(disk, PATH)).rejects.toMatchObject({ code: 'IO_ERROR' });
});
