import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';
import { LeandexError } from '../../src/base/errors.js';

/** File types of Unix in the upper half of an entry's attributes. */
const TYPE_MASK = 0o170000;
const TYPE_LINK = 0o120000;
const ENTRIES_MAX = 10_000;

export interface UnzipOptions {
  /** Of all files together, unpacked. */
  readonly bytesMost: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks an archive into an empty folder. Everything must lie inside of it: names with `..`, absolute
 * ones and links are refused before anything of them is written.
 * @throws LeandexError `CORRUPT` for what is no such archive, `RESOURCE_EXHAUSTED` for one that is too
 * large, `ABORTED` once the signal fires.
 */
export async function unzip(
  path: string,
  folder: string,
  { bytesMost, signal }: UnzipOptions,
): Promise<void> {
  try {
    // Sizes and names are checked by yauzl; a file that grows beyond its size ends with an error.
    const archive = await openPromise(path, { strictFileNames: true, validateEntrySizes: true });
    let [entries, bytes] = [0, 0];
    for await (const entry of archive.eachEntry()) {
      entries += 1;
      bytes += entry.uncompressedSize;
      if (entries > ENTRIES_MAX || bytes > bytesMost) {
        const message = `${path}: expected at most ${ENTRIES_MAX} files of ${bytesMost} bytes together`;
        throw new LeandexError('RESOURCE_EXHAUSTED', message, {
          details: { path, entries, bytes },
        });
      }
      const target = targetOf(entry, folder, path);
      if (entry.fileName.endsWith('/')) {
        mkdirSync(target, { recursive: true });
        continue;
      }
      mkdirSync(dirname(target), { recursive: true });
      const from = await archive.openReadStreamPromise(entry);
      await pipeline(from, createWriteStream(target, { flags: 'wx' }), { signal });
    }
  } catch (cause) {
    if (signal?.aborted) {
      throw new LeandexError('ABORTED', `unpacking ${path} was aborted`, { cause: signal.reason });
    }
    if (cause instanceof LeandexError) throw cause;
    throw unsafe(path, String((cause as Error).message), cause);
  }
}

function targetOf(entry: Entry, folder: string, path: string): string {
  const { fileName, externalFileAttributes } = entry;
  const target = resolve(folder, fileName);
  if (!target.startsWith(resolve(folder) + sep)) throw unsafe(path, `the name "${fileName}"`);
  if (((externalFileAttributes >>> 16) & TYPE_MASK) === TYPE_LINK) {
    throw unsafe(path, `"${fileName}", a link`);
  }
  return join(folder, fileName);
}

function unsafe(path: string, received: string, cause?: unknown): LeandexError {
  const message = `${path}: expected a sound archive of files in their folder, received ${received}`;
  return new LeandexError('CORRUPT', message, { details: { file: path }, cause });
}
