import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type Contents,
  databasesOf,
  findsDamage,
  readEverything,
  verifyAll,
  withFile,
  writeSmallStore,
} from './damage.js';
import { temporaryFolder } from './support.js';

/** Every n-th byte; LEANDEX_EVERY_BYTE=1 takes all, which lasts some minutes. */
const STRIDE = process.env.LEANDEX_EVERY_BYTE === '1' ? 1 : 7;
const FLIPS = [0xff, 0x01, 0x80];

/**
 * How the damage that a change of a file makes is found. Whatever is read before it is found is as
 * it was written; damage that nothing finds leaves everything as it was written.
 */
function outcome(path: string, expected: Contents): 'read' | 'verify' | 'harmless' {
  const found: Contents = new Map();
  const isFoundByRead = findsDamage(() => readEverything(path, found));
  for (const [what, value] of found) {
    if (what.endsWith('order')) continue;
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
  console.log('byte flips:', counts);
  // Most bytes matter: the check itself would be broken otherwise.
  expect(counts.read).toBeGreaterThan(counts.harmless / 4);
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
