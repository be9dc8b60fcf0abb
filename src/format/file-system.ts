import { open, rename, rm } from 'node:fs/promises';

/** An open file of a FileSystem; like FileHandle of node:fs/promises. */
export interface OpenFile {
  /** May read or write fewer bytes than asked for; arrays may view shared memory. */
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  write(
    from: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  stat(): Promise<{ size: number }>;
  close(): Promise<void>;
}

/** What snapshot files are written through: node:fs/promises, or what tests put in its place. */
export interface FileSystem {
  open(path: string, flags: 'r' | 'w'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

export const nodeFileSystem: FileSystem = { open, rename, rm };
