import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Collection } from '../db/collection.js';
import { refused, unsupported } from './errors.js';

export interface SnapshotDescription {
  name: string;
  creation_time: string;
  size: number;
  /** SHA-256, in hex. */
  checksum: string | null;
}

const SUFFIX = '.snapshot';
const UPLOADS = '.uploads';
const CHECKSUM = '.checksum';
const NAME = /^[\w.()-][\w .()-]{0,230}\.snapshot$/;

/** The snapshots of collections as files: a folder for each collection. */
export class Snapshots {
  /** Undefined where nothing is kept on the disk. */
  private readonly folder: string | undefined;

  constructor(folder: string | undefined) {
    this.folder = folder === undefined ? undefined : resolve(folder);
  }

  async list(collection: string): Promise<SnapshotDescription[]> {
    if (this.folder === undefined) return [];
    const names = await readdir(this.folderOf(collection)).catch(emptyWhereAbsent);
    const found = names.filter((name) => NAME.test(name)).sort();
    return Promise.all(found.map((name) => this.describe(collection, name)));
  }

  async create(collection: Collection, signal: AbortSignal): Promise<SnapshotDescription> {
    const folder = this.folderOf(collection.name);
    await mkdir(folder, { recursive: true });
    const time = new Date().toISOString().replaceAll(':', '-').replace('Z', '');
    const safe = collection.name.replaceAll(/[^\w.-]/g, '_').slice(0, 100);
    const name = `${safe}-${time}-${process.hrtime.bigint() % 1_000_000n}${SUFFIX}`;
    const file = join(folder, name);
    await collection.snapshot(file, { signal });
    await writeFile(file + CHECKSUM, await checksumOf(file));
    return this.describe(collection.name, name);
  }

  /** The path of a snapshot. @throws 404 */
  async find(collection: string, name: string): Promise<string> {
    const file = NAME.test(name) ? join(this.folderOf(collection), name) : undefined;
    const isThere = file !== undefined && (await stat(file).catch(() => undefined))?.isFile();
    if (!isThere) throw refused(404, `Not found: Snapshot ${name} doesn't exist!`);
    return file;
  }

  async remove(collection: string, name: string): Promise<void> {
    const file = await this.find(collection, name);
    await rm(file);
    await rm(file + CHECKSUM, { force: true });
  }

  /**
   * The file that a location names: only those in the folder of the snapshots may be read.
   * @throws 403, 404
   */
  async locate(location: string): Promise<string> {
    if (this.folder === undefined) throw noFolder();
    if (/^https?:/i.test(location)) {
      throw unsupported('location', 'this server fetches nothing from others: upload the file');
    }
    const path = resolve(location.startsWith('file:') ? pathOf(location) : location);
    const folder = basename(resolve(path, '..'));
    const collection = path === join(this.folder, folder, basename(path)) && collectionOf(folder);
    if (!collection) {
      throw refused(403, 'Forbidden: only files in the folder of the snapshots may be restored');
    }
    return this.find(collection, basename(path));
  }

  /** Keeps what is uploaded, to be restored; the caller removes it. */
  async receive(upload: Readable): Promise<string> {
    if (this.folder === undefined) throw noFolder();
    const folder = join(this.folder, UPLOADS);
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${process.pid}-${process.hrtime.bigint()}`);
    try {
      await pipeline(upload, createWriteStream(file, { flags: 'wx' }));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return file;
  }

  /** Removes what was being uploaded when a server ended at once: of a folder that only one writes to. */
  async removeLeftovers(): Promise<void> {
    if (this.folder === undefined) return;
    await rm(join(this.folder, UPLOADS), { recursive: true, force: true });
  }

  private folderOf(collection: string): string {
    if (this.folder === undefined) throw noFolder();
    // Names may be anything that a path may not.
    return join(this.folder, encodeURIComponent(collection).replaceAll('.', '%2E'));
  }

  private async describe(collection: string, name: string): Promise<SnapshotDescription> {
    const file = join(this.folderOf(collection), name);
    const { size, mtime } = await stat(file);
    const checksum = await readFile(file + CHECKSUM, 'utf8').catch(() => null);
    return { name, creation_time: mtime.toISOString().slice(0, 19), size, checksum };
  }
}

/** SHA-256 of a file, in hex. */
export async function checksumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** The collection whose snapshots a folder holds; undefined for a name that none has. */
function collectionOf(folder: string): string | undefined {
  try {
    return decodeURIComponent(folder);
  } catch {
    return undefined;
  }
}

function pathOf(location: string): string {
  try {
    return fileURLToPath(location);
  } catch {
    throw refused(400, 'Wrong input: location is no path of this machine');
  }
}

function emptyWhereAbsent(error: { code?: unknown }): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

const noFolder = () => unsupported('snapshots', 'there is no folder for them');
