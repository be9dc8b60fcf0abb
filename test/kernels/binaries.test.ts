import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BINARIES } from '../../src/kernels/binaries.js';

const FOLDER = fileURLToPath(new URL('../../dist/wasm/', import.meta.url));
const NAMES = ['simd', 'simd-shared', 'relaxed-simd', 'relaxed-simd-shared'];
const BYTES_MAX = 80 * 1024;
/** Sections of a WebAssembly module: a data segment would be written anew by each instance. */
const DATA_SECTION = 11;

/** The section ids of a module. */
function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    ids.push(bytes[at++]!);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
  return ids;
}

describe('the WebAssembly binaries', () => {
  test('are these four', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.wasm'));
    expect(new Set(files)).toEqual(new Set(NAMES.map((name) => `${name}.wasm`)));
    expect(Object.keys(BINARIES)).toEqual(NAMES);
  });

  test.each(NAMES)('%s is at most 80 KiB, and the embedded copy is the same', (name) => {
    const bytes = readFileSync(`${FOLDER}${name}.wasm`);
    expect(bytes.length).toBeLessThanOrEqual(BYTES_MAX);
    expect(Buffer.from(BINARIES[name]!, 'base64').equals(bytes)).toBe(true);
  });

  test.each(NAMES)('%s writes nothing into the memory when it is instantiated', (name) => {
    expect(sections(Buffer.from(BINARIES[name]!, 'base64'))).not.toContain(DATA_SECTION);
  });

  test.each(NAMES)('%s imports its memory and nothing else', (name) => {
    const shared = name.endsWith('-shared');
    const text = Buffer.from(BINARIES[name]!, 'base64').toString('latin1');
    expect(text).toContain('\x03env\x06memory\x02');
    // Limits: bit 0 says there is a maximum, bit 1 that the memory is shared.
    expect(text.charCodeAt(text.indexOf('\x06memory\x02') + 8)).toBe(shared ? 3 : 1);
  });
});
