import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryOf } from '../../src/store/catalog-file.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { closeService, fileOf, openService } from '../../src/store/service.js';
import {
  type Contents,
  databasesOf,
  findsDamage,
  optionsOf,
  readEverything,
  verifyAll,
  withFile,
  writeSmallStore,
} from './damage.js';
import { temporaryFolder, write } from './support.js';

/** Every n-th byte; LEANDEX_EVERY_BYTE=1 takes all, which lasts some minutes. */
const STRIDE = process.env.LEANDEX_EVERY_BYTE === '1' ? 1 : 13;
const FLIPS = [0xff, 0x01, 0x80];

/**
 * How the damage that a change of a file makes is found. Whatever is read before it is found is as
 * it was written; damage that nothing finds leaves everything as it was written.
 */
function outcome(path: string, expected: Contents): 'read' | 'verify' | 'harmless' {
  const found: Contents = new Map();
  const isFoundByRead = findsDamage(() => readEverything(path, found));
  for (const [what, value] of found) {
    // SQLite's own indexes, of keys and of words, have no checksums: verify() compares them.
    if (what.endsWith('order') || what.includes(' text ')) continue;
    expect(value, what).toEqual(expected.get(what));
  }
  if (isFoundByRead) return 'read';
  if (findsDamage(() => verifyAll(path))) return 'verify';
  expect(found).toEqual(expected);
  return 'harmless';
}

function smallStore() {
  const path = temporaryFolder();
  writeSmallStore(path);
  const expected: Contents = new Map();
  readEverything(path, expected);
  return { path, expected, files: databasesOf(path) };
}

test('the flip of any byte is found or changes nothing that is read', () => {
  const { path, expected, files } = smallStore();
  const counts = { read: 0, verify: 0, harmless: 0 };
  expect(files).toHaveLength(3);
  for (const file of files) {
    const { size } = statSync(file);
    for (let at = 0; at < size; at += STRIDE) {
      const flip = FLIPS[(at / STRIDE) % FLIPS.length]!;
      for (const mask of STRIDE === 1 ? FLIPS : [flip]) {
        const change = (bytes: Buffer) => {
          bytes[at]! ^= mask;
          return bytes;
        };
        counts[withFile(file, change, () => outcome(path, expected))]++;
      }
    }
  }
  if (STRIDE === 1) console.log('flips found by', counts);
  // Bytes that matter are many: the check itself would be broken otherwise.
  expect(counts.read).toBeGreaterThan(counts.harmless / 4);
});

/** What a writer does with a store, whatever its files hold. */
function writeOn(path: string): void {
  const service = openService(optionsOf(path, false));
  try {
    const { folder } = entryOf(service.catalog, 'docs')!;
    const file = fileOf(service, folder);
    for (const id of ['name', 'new'] as const) {
      write(file, () => upsert(file, { ids: [id], payloads: ['{"new":1}'], columns: [] }));
    }
    write(file, () => remove(file, { ids: [1] }));
  } finally {
    closeService(service);
  }
}

test('writing to a damaged store keeps the damage from being read', () => {
  const sound = smallStore();
  writeOn(sound.path);
  const expected: Contents = new Map();
  readEverything(sound.path, expected);
  expected.delete('id');
  const { path, files } = smallStore();
  const all = files.map((file) => [file, readFileSync(file)] as const);
  let at = 0;
  for (const [file, bytes] of all) {
    for (; at < bytes.length; at += 5 * STRIDE) {
      bytes[at]! ^= FLIPS[at % FLIPS.length]!;
      writeFileSync(file, bytes);
      const found: Contents = new Map();
      const isFound =
        findsDamage(() => writeOn(path)) || findsDamage(() => readEverything(path, found));
      found.delete('id');
      if (!isFound && !findsDamage(() => verifyAll(path))) expect(found).toEqual(expected);
      bytes[at]! ^= FLIPS[at % FLIPS.length]!;
      for (const [one, content] of all) {
        for (const suffix of ['-wal', '-shm', '-journal']) rmSync(one + suffix, { force: true });
        writeFileSync(one, content);
      }
    }
    at -= bytes.length;
  }
});

test('a file that is cut off or has a zeroed sector is found out', () => {
  const { path, expected, files } = smallStore();
  for (const file of files) {
    const { size } = statSync(file);
    for (let at = 0; at < size; at += 128) {
      withFile(
        file,
        (bytes) => bytes.subarray(0, at),
        () => {
          const how = outcome(path, expected);
          // The end of the last page may be unused.
          if (at <= size - 512) expect(how).not.toBe('harmless');
        },
      );
      withFile(
        file,
        (bytes) => bytes.fill(0, at, Math.min(at + 512, size)),
        () => outcome(path, expected),
      );
    }
  }
});
