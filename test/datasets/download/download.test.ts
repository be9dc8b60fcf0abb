import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readBeir } from '../../../datasets/beir.js';
import { PUBLIC_SETS, type PublicSet, publicSet } from '../../../datasets/download/catalogue.js';
import { downloadSet, isDownloaded } from '../../../datasets/download/download.js';
import { type Mirror, md5Of, startMirror } from './mirror.js';
import { zipOf } from './zip.js';

const BEIR_ZIP = zipOf([
  { name: 'tiny/', text: '' },
  { name: 'tiny/corpus.jsonl', text: '{"_id":"d1","title":"","text":"one"}\n' },
  { name: 'tiny/queries.jsonl', text: '{"_id":"q1","text":"first"}\n' },
  { name: 'tiny/qrels/test.tsv', text: 'query-id\tcorpus-id\tscore\nq1\td1\t1\n' },
]);
const BEIR: PublicSet = {
  ...{ name: 'tiny', layout: 'beir', about: '' },
  files: [{ path: 'tiny.zip', md5: md5Of(BEIR_ZIP) }],
};
const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 251);
const PLAIN: PublicSet = {
  ...{ name: 'plain', layout: 'ann-benchmarks', about: '' },
  files: [{ path: 'plain.hdf5' }],
};

let folder: string;
let mirror: Mirror;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leandex-download-'));
  mirror = await startMirror({
    'tiny.zip': BEIR_ZIP,
    'plain.hdf5': BYTES,
    'parts/train.parquet': BYTES,
    'parts/test.parquet': BYTES.subarray(0, 1000),
  });
});

afterEach(async () => {
  await mirror.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (set: PublicSet, more: object = {}) =>
  downloadSet(set, { folder, mirror: mirror.url, ...more });

describe('a set', () => {
  test('of BEIR is unpacked into a folder that can be read', async () => {
    expect(isDownloaded(BEIR, folder)).toBe(false);
    const path = await get(BEIR);
    expect(path).toBe(join(folder, 'tiny'));
    expect(isDownloaded(BEIR, folder)).toBe(true);
    const { documents, queries, qrels } = readBeir(path);
    expect(documents).toEqual([{ id: 'd1', title: '', text: 'one' }]);
    expect(queries).toEqual([{ id: 'q1', text: 'first' }]);
    expect(qrels.get('q1')?.get('d1')).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['checksums.json', 'tiny']);
  });

  test('of several files has all of them in its folder', async () => {
    const files = [{ path: 'parts/train.parquet' }, { path: 'parts/test.parquet' }];
    const path = await get({ name: 'parts', layout: 'vectordbbench', about: '', files });
    expect(readdirSync(path).sort()).toEqual(['test.parquet', 'train.parquet']);
    expect(new Uint8Array(readFileSync(join(path, 'train.parquet')))).toEqual(BYTES);
  });

  test('that is there is not downloaded again', async () => {
    await get(PLAIN);
    await expect(get(PLAIN)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(mirror.requests).toHaveLength(1);
  });

  test('tells how far it has come', async () => {
    const seen: number[] = [];
    await get(PLAIN, { onProgress: (_: string, done: number) => seen.push(done) });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(BYTES.length);
  });
});

/** A download that ends when so many bytes have come. */
async function cutAfter(bytes: number, set = PLAIN): Promise<void> {
  mirror.stopAfter = bytes;
  const onProgress = (_: string, done: number) => {
    if (done >= bytes) mirror.hangUp();
  };
  await expect(get(set, { onProgress })).rejects.toMatchObject({ code: 'IO_ERROR' });
}

describe('an interrupted download', () => {
  test.each([1, 4096, BYTES.length - 1])('of %i bytes goes on from there', async (cut) => {
    await cutAfter(cut);
    expect(isDownloaded(PLAIN, folder)).toBe(false);
    const path = await get(PLAIN);
    expect(mirror.requests[1]!.headers.range).toBe(`bytes=${cut}-`);
    expect(new Uint8Array(readFileSync(join(path, 'plain.hdf5')))).toEqual(BYTES);
  });

  test('begins anew when the server has another file by then', async () => {
    await cutAfter(5000);
    const other = BYTES.map((byte) => byte ^ 1);
    mirror.files.set('plain.hdf5', other);
    const path = await get(PLAIN);
    expect(new Uint8Array(readFileSync(join(path, 'plain.hdf5')))).toEqual(other);
  });

  test('begins anew where the server has no ETag', async () => {
    mirror.etagOf = () => undefined;
    await cutAfter(5000);
    await get(PLAIN);
    expect(mirror.requests[1]!.headers.range).toBeUndefined();
  });

  test('whose part is as long as the file begins anew', async () => {
    const work = join(folder, 'plain.download');
    await cutAfter(1);
    writeFileSync(join(work, 'plain.hdf5.part'), new Uint8Array(BYTES.length));
    const path = await get(PLAIN);
    expect(new Uint8Array(readFileSync(join(path, 'plain.hdf5')))).toEqual(BYTES);
  });

  test('is not whole after a range that is shorter than the one asked for', async () => {
    mirror.etagOf = () => 'no sum of the bytes';
    await cutAfter(5000);
    mirror.rangeMost = 1000;
    await expect(get(PLAIN)).rejects.toThrow(/the end after 6000 of 200000 bytes/);
    mirror.rangeMost = Infinity;
    const path = await get(PLAIN);
    expect(new Uint8Array(readFileSync(join(path, 'plain.hdf5')))).toEqual(BYTES);
  });

  test('by a signal is ABORTED with its reason, and goes on afterwards', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort('enough');
    const aborted = get(PLAIN, { signal: controller.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(isDownloaded(PLAIN, folder)).toBe(false);
    await get(PLAIN);
    expect(isDownloaded(PLAIN, folder)).toBe(true);
  });
});

describe('one download at a time', () => {
  const lockOf = (pid: number | undefined) => join(folder, `plain.lock-${pid}`);

  test('of a set: another one is BUSY, and the first comes whole', async () => {
    const [first, second] = await Promise.allSettled([get(PLAIN), get(PLAIN)]);
    expect(second).toMatchObject({ reason: { code: 'BUSY' } });
    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(new Uint8Array(readFileSync(join(folder, 'plain', 'plain.hdf5')))).toEqual(BYTES);
  });

  test('also where another process has begun, but not where that is gone', async () => {
    writeFileSync(lockOf(process.ppid), '');
    await expect(get(PLAIN)).rejects.toMatchObject({ code: 'BUSY' });
    expect(mirror.requests).toEqual([]);
    rmSync(lockOf(process.ppid));
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(lockOf(pid), '');
    await get(PLAIN);
    expect(readdirSync(folder).sort()).toEqual(['checksums.json', 'plain']);
  });
});

test('a disk that takes only a part of a write leaves no hole', async () => {
  const handle = await open(folder);
  onTestFinished(() => void vi.restoreAllMocks());
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { write } = prototype as unknown as { write: Write };
  type Write = (this: FileHandle, bytes: Uint8Array, at: number, size: number, to: number) => never;
  const half: Write = function (bytes, at, size, to) {
    return write.call(this, bytes, at, Math.ceil(size / 2), to);
  };
  vi.spyOn(prototype, 'write').mockImplementation(half as never);
  const path = await get(PLAIN);
  expect(new Uint8Array(readFileSync(join(path, 'plain.hdf5')))).toEqual(BYTES);
});

describe('refused', () => {
  test('are checksums that cannot be read', async () => {
    writeFileSync(join(folder, 'checksums.json'), '{"plain');
    await expect(get(PLAIN)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(isDownloaded(PLAIN, folder)).toBe(false);
  });

  test('are bytes with another sum than the published one; the next attempt begins anew', async () => {
    const damaged = Uint8Array.from(BEIR_ZIP);
    damaged[40]! ^= 1;
    mirror.files.set('tiny.zip', damaged);
    await expect(get(BEIR)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(existsSync(join(folder, 'tiny.download', 'tiny.zip.part'))).toBe(false);
    mirror.files.set('tiny.zip', BEIR_ZIP);
    await get(BEIR);
    expect(mirror.requests[1]!.headers.range).toBeUndefined();
  });

  test('are bytes with another sum than the server tells', async () => {
    mirror.etagOf = () => '0'.repeat(32);
    await expect(get(PLAIN)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('are other bytes than those of an earlier download', async () => {
    rmSync(await get(PLAIN), { recursive: true });
    mirror.files.set(
      'plain.hdf5',
      BYTES.map((byte) => byte ^ 1),
    );
    await expect(get(PLAIN)).rejects.toThrow(/SHA-256 of an earlier download/);
  });

  test.each([true, false])('are files above the limit, the length told: %s', async (isTold) => {
    if (!isTold) mirror.etagOf = () => undefined;
    await expect(get(PLAIN, { bytesMost: 1000 })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    expect(isDownloaded(PLAIN, folder)).toBe(false);
  });

  test('are hosts that do not answer, and why', async () => {
    await mirror.close();
    await expect(get(PLAIN)).rejects.toThrow(/fetch failed: .*ECONNREFUSED/);
  });

  test('are answers that are no files', async () => {
    const missing = { ...PLAIN, files: [{ path: 'nope.hdf5' }] };
    await expect(get(missing)).rejects.toThrow(
      /nope\.hdf5: expected the file, received status 404/,
    );
  });
});

test('the catalogue names each set once, with an MD5 for every archive of BEIR', () => {
  const names = PUBLIC_SETS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { layout, files } of PUBLIC_SETS) {
    expect(files.length).toBeGreaterThan(0);
    for (const { md5 } of files) {
      if (layout === 'beir') expect(md5).toMatch(/^[0-9a-f]{32}$/);
    }
  }
  expect(() => publicSet('nope')).toThrow(/one of scifact, /);
});
