import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unzip } from '../../../datasets/download/unzip.js';
import { type ZipEntry, zipOf } from './zip.js';

let folder: string;
let inside: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leandex-unzip-'));
  inside = join(folder, 'a', 'b');
  mkdirSync(inside, { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function unpack(entries: readonly ZipEntry[], bytesMost = 1e6): Promise<void> {
  const path = join(folder, 'x.zip');
  writeFileSync(path, zipOf(entries));
  return unzip(path, inside, { bytesMost });
}

test('files come out as they went in', async () => {
  const text = 'ä'.repeat(100_000);
  await unpack([
    { name: 'set/one.txt', text },
    { name: 'set/deep/two.txt', text: '' },
  ]);
  expect(readFileSync(join(inside, 'set', 'one.txt'), 'utf8')).toBe(text);
  expect(readFileSync(join(inside, 'set', 'deep', 'two.txt'), 'utf8')).toBe('');
});

test.each([
  '../evil.txt',
  'set/../../evil.txt',
  '../../../../../../../../tmp/leandex-evil.txt',
  '/evil.txt',
  'C:/evil.txt',
  'set\\..\\..\\evil.txt',
  '..',
])('the name %j is refused and nothing is written', async (name) => {
  await expect(unpack([{ name, text: 'evil' }])).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(readdirSync(inside)).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(['a', 'x.zip']);
  expect(existsSync('/tmp/leandex-evil.txt')).toBe(false);
});

test('a link is refused', async () => {
  const link = { name: 'set/link', text: '/etc', mode: 0o120777 };
  await expect(unpack([link])).rejects.toThrow(/a link/);
  expect(existsSync(join(inside, 'set'))).toBe(false);
});

test('two entries of one name are refused', async () => {
  const entry = { name: 'set/one.txt', text: 'x' };
  await expect(unpack([entry, entry])).rejects.toMatchObject({ code: 'CORRUPT' });
});

test('more bytes than allowed are refused before they are written', async () => {
  const bomb = { name: 'set/bomb', text: '0'.repeat(100_000) };
  await expect(unpack([bomb], 99_999)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(existsSync(join(inside, 'set'))).toBe(false);
});

test('what is cut short or no archive is CORRUPT', async () => {
  const path = join(folder, 'x.zip');
  const whole = zipOf([{ name: 'set/one.txt', text: 'some text' }]);
  for (const bytes of [new Uint8Array(0), whole.subarray(0, 40), new Uint8Array(100)]) {
    writeFileSync(path, bytes);
    await expect(unzip(path, inside, { bytesMost: 1e6 })).rejects.toMatchObject({
      code: 'CORRUPT',
    });
  }
});
