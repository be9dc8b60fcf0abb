import { dirname } from 'node:path';
import type { Random } from '../../src/base/random.js';
import type { FileSystem, OpenFile } from '../../src/format/file-system.js';

const SECTOR_BYTES = 512;

/** What happened to a disk, in order. Files have numbers; names come and go in their folders. */
type Event =
  | { kind: 'write'; file: number; position: number; bytes: Uint8Array }
  | { kind: 'sync'; file: number }
  /** Names that now mean a file, or nothing. */
  | { kind: 'names'; changes: [name: string, file: number | undefined][] }
  | { kind: 'syncFolder'; folder: string };

type FailWith = (operation: number, name: string) => Error | undefined;

/**
 * A disk in memory behind the file system's interface. It records everything, writes at most
 * `writeBytesMax` at once, and fails where it is told to. A crash loses any part of what was not
 * synced: sectors of data and names, each by itself.
 */
export class DiskModel implements FileSystem {
  readonly events: Event[] = [];
  /** How many operations were called. */
  operations = 0;
  failWith: FailWith = () => undefined;
  writeBytesMax = 1000;
  private readonly names: Map<string, number>;
  private readonly files: Map<number, Uint8Array>;

  constructor(files: Readonly<Record<string, Uint8Array>> = {}) {
    this.names = new Map(Object.keys(files).map((name, i) => [name, i]));
    this.files = new Map(Object.values(files).map((bytes, i) => [i, bytes]));
  }

  private begin(name: string): void {
    const error = this.failWith(this.operations++, name);
    if (error !== undefined) throw error;
  }

  async open(path: string, flags: 'r' | 'w'): Promise<OpenFile> {
    this.begin('open');
    if (path === dirname(path) || [...this.names.keys()].some((name) => dirname(name) === path)) {
      return this.openFolder(path);
    }
    if (flags === 'w') {
      const file = this.files.size;
      this.files.set(file, new Uint8Array());
      this.changeNames([[path, file]]);
    }
    const file = this.names.get(path);
    if (file === undefined)
      throw Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' });
    return this.openFile(file);
  }

  private openFolder(folder: string): OpenFile {
    const refuse = () => Promise.reject(new Error('a folder is not a file'));
    return {
      read: refuse,
      write: refuse,
      stat: refuse,
      close: async () => {},
      sync: async () => {
        this.begin('syncFolder');
        this.events.push({ kind: 'syncFolder', folder });
      },
    };
  }

  private openFile(file: number): OpenFile {
    return {
      read: async (into, offset, length, position) => {
        this.begin('read');
        const bytes = this.files.get(file)!.subarray(position, position + Math.min(length, 700));
        into.set(bytes, offset);
        return { bytesRead: bytes.length };
      },
      write: async (from, offset, length, position) => {
        this.begin('write');
        const bytes = from.slice(offset, offset + Math.min(length, this.writeBytesMax));
        this.events.push({ kind: 'write', file, position, bytes });
        this.files.set(file, written(this.files.get(file)!, position, bytes));
        return { bytesWritten: bytes.length };
      },
      sync: async () => {
        this.begin('sync');
        this.events.push({ kind: 'sync', file });
      },
      stat: async () => ({ size: this.files.get(file)!.length }),
      close: async () => this.begin('close'),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.begin('rename');
    this.changeNames([
      [to, this.names.get(from)],
      [from, undefined],
    ]);
  }

  async rm(path: string): Promise<void> {
    this.begin('rm');
    if (this.names.has(path)) this.changeNames([[path, undefined]]);
  }

  private changeNames(changes: [string, number | undefined][]): void {
    this.events.push({ kind: 'names', changes });
    applyNames(this.names, changes);
  }

  /** The disk after a crash right after the first `count` events. */
  crashedAfter(
    count: number,
    before: Readonly<Record<string, Uint8Array>>,
    random: Random,
  ): DiskModel {
    const events = this.events.slice(0, count);
    const names = new Map(Object.keys(before).map((name, i) => [name, i]));
    const files = new Map(Object.values(before).map((bytes, i) => [i, bytes]));
    events.forEach((event, i) => {
      const later = events.slice(i + 1);
      if (event.kind === 'names') {
        const isSynced = later.some(
          (one) => one.kind === 'syncFolder' && one.folder === dirname(event.changes[0]![0]),
        );
        if (isSynced || random.below(2) === 1) applyNames(names, event.changes);
      } else if (event.kind === 'write') {
        const isSynced = later.some((one) => one.kind === 'sync' && one.file === event.file);
        const bytes = files.get(event.file) ?? new Uint8Array();
        files.set(
          event.file,
          isSynced ? written(bytes, event.position, event.bytes) : torn(bytes, event, random),
        );
      }
    });
    const left: Record<string, Uint8Array> = {};
    for (const [name, file] of names) left[name] = files.get(file) ?? new Uint8Array();
    return new DiskModel(left);
  }
}

function applyNames(names: Map<string, number>, changes: [string, number | undefined][]): void {
  for (const [name, file] of changes) {
    if (file === undefined) names.delete(name);
    else names.set(name, file);
  }
}

function written(bytes: Uint8Array, position: number, part: Uint8Array): Uint8Array {
  const longer = new Uint8Array(Math.max(bytes.length, position + part.length));
  longer.set(bytes);
  longer.set(part, position);
  return longer;
}

/** Any of the sectors that a write touched, each wholly or not at all. */
function torn(
  bytes: Uint8Array,
  { position, bytes: part }: { position: number; bytes: Uint8Array },
  random: Random,
): Uint8Array {
  let left = bytes;
  for (let from = 0; from < part.length; ) {
    const end = Math.min(part.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES));
    if (random.below(2) === 1) left = written(left, position + from, part.subarray(from, end));
    from = end;
  }
  return left;
}
