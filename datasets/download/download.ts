import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LeandexError } from '../../src/base/errors.js';
import { HOSTS, type PublicSet, type RemoteFile } from './catalogue.js';
import { exclusively } from './exclusive.js';
import { type Downloaded, discardPart, downloadPart } from './file.js';
import { hashesOf } from './hash.js';
import { unzip } from './unzip.js';

export interface SetOptions {
  /** The folder in which the set gets one of its own. */
  readonly folder: string;
  /** Instead of the public host: an address that the paths of the files are relative to. */
  readonly mirror?: string | undefined;
  /** For a file, and for all that an archive holds together. Default 16 GiB. */
  readonly bytesMost?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((file: string, done: number, total: number) => void) | undefined;
}

const BYTES_MOST = 2 ** 34;
/** SHA-256 of every file that was ever downloaded here, by set and path. */
const CHECKSUMS = 'checksums.json';

/** Whether a set is in the folder, whole: only then does its folder have its name. */
export function isDownloaded({ name }: PublicSet, folder: string): boolean {
  return existsSync(join(folder, name));
}

/**
 * Downloads a set into a folder of its name and gives that folder's path. It appears at once and
 * whole; until then its parts lie in `<name>.download`, where an interrupted download goes on. Each
 * file is compared with the MD5 that its publishers give out; where there is none, with the one that
 * S3 tells as ETag and with what an earlier download of this file was.
 * @throws LeandexError `ALREADY_EXISTS`; `BUSY` while somebody else downloads it to there; `CORRUPT` for
 * other bytes than expected, which are discarded; and as downloadPart() and unzip() do.
 */
export function downloadSet(set: PublicSet, options: SetOptions): Promise<string> {
  // Two that write to the same parts could make a file of neither.
  return exclusively(options.folder, set.name, () => download(set, options));
}

async function download(set: PublicSet, options: SetOptions): Promise<string> {
  const { folder, mirror = HOSTS[set.layout], bytesMost = BYTES_MOST, signal } = options;
  const target = join(folder, set.name);
  if (existsSync(target)) throw new LeandexError('ALREADY_EXISTS', `${target} is there already`);
  const work = `${target}.download`;
  mkdirSync(work, { recursive: true });
  const base = mirror.endsWith('/') ? mirror : `${mirror}/`;
  for (const file of set.files) {
    const path = join(work, basename(file.path));
    if (existsSync(path)) continue;
    const got = await downloadPart(new URL(file.path, base).href, path, {
      ...{ bytesMost, signal },
      onProgress: (done, total) => options.onProgress?.(file.path, done, total),
    });
    await verify(set, file, path, got, options);
    rmSync(`${path}.part.etag`, { force: true });
    renameSync(`${path}.part`, path);
  }
  if (set.layout === 'beir') await unpack(set, work, target, { bytesMost, signal });
  else renameSync(work, target);
  return target;
}

/** The archive holds one folder, of the set's name. */
async function unpack(
  { name, files }: PublicSet,
  work: string,
  target: string,
  options: { readonly bytesMost: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const archive = join(work, basename(files[0].path));
  const unpacked = join(work, 'unpacked');
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  await unzip(archive, unpacked, options);
  const inner = join(unpacked, name);
  if (!existsSync(inner)) {
    throw new LeandexError('CORRUPT', `${archive}: expected a folder ${name}, received none`);
  }
  renameSync(inner, target);
  rmSync(work, { recursive: true, force: true });
}

async function verify(
  { name }: PublicSet,
  file: RemoteFile,
  path: string,
  { etag }: Downloaded,
  { folder, signal }: SetOptions,
): Promise<void> {
  const { md5, sha256 } = await hashesOf(`${path}.part`, signal);
  const known = readChecksums(folder);
  const key = `${name}/${basename(file.path)}`;
  const told = /^[0-9a-f]{32}$/.test(etag ?? '') ? etag : undefined;
  const checks: readonly [string, string | undefined, string][] = [
    ['the published MD5', file.md5, md5],
    // A mirror may make its ETags otherwise: the published sum counts for more.
    ['the MD5 that the server tells', file.md5 === undefined ? told : undefined, md5],
    ['the SHA-256 of an earlier download', known[key], sha256],
  ];
  for (const [what, expected, received] of checks) {
    if (expected === undefined || expected === received) continue;
    discardPart(path);
    const message = `${file.path}: expected ${what}, ${expected}, received ${received}`;
    throw new LeandexError('CORRUPT', message, {
      details: { file: file.path, expected, received },
    });
  }
  const checksums = join(folder, CHECKSUMS);
  writeFileSync(`${checksums}.part`, `${JSON.stringify({ ...known, [key]: sha256 }, null, 2)}\n`);
  renameSync(`${checksums}.part`, checksums);
}

function readChecksums(folder: string): Record<string, string> {
  const path = join(folder, CHECKSUMS);
  if (!existsSync(path)) return {};
  try {
    return { ...JSON.parse(readFileSync(path, 'utf8')) };
  } catch (cause) {
    throw new LeandexError('CORRUPT', `${path}: expected JSON; remove it to begin anew`, { cause });
  }
}
