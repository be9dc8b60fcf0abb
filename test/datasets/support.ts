import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CodedError } from '../../src/base/errors.js';

/** The error that a call throws; fails when it throws none or one without a code. */
export function errorOf(call: () => unknown): CodedError {
  try {
    call();
  } catch (error) {
    const coded = error as CodedError;
    if (!(error instanceof Error) || typeof coded.code !== 'string') throw error;
    return coded;
  }
  throw new Error('the call threw nothing');
}

/** A new folder with these files (path to content), gone when the test is over. */
export function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-datasets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** The bytes of a string of one-byte characters, "\x93" for 0x93. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The same bytes at an odd address, as a slice of a larger buffer may have them. */
export function unaligned(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 1);
  buffer.set(bytes, 1);
  return buffer.subarray(1);
}
