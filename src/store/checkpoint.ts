import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Steps } from '../base/steps.js';
import type { CollectionFile } from './collection-file.js';
import { syncFile, syncFolder } from './layout.js';

/** The log is copied into the file once it has grown by about so much. */
const LOG_BYTES_MAX = 2 ** 26;
/** Given back in one transaction: some megabytes. */
const FREE_PAGES_STEP = 256;

export function needsCheckpoint(file: CollectionFile): boolean {
  return file.logBytes > LOG_BYTES_MAX;
}

/** Copies the log into the file, as far as no reader needs what is there. */
export function checkpoint(file: CollectionFile): void {
  const [result] = file.db.pragma('wal_checkpoint(PASSIVE)') as {
    log: number;
    checkpointed: number;
  }[];
  const isAll = result!.log === result!.checkpointed;
  file.logBytes = isAll ? 0 : LOG_BYTES_MAX / 2;
}

/** Makes what was committed survive a power loss, whatever the durability. */
export function flush(file: CollectionFile): void {
  const log = `${file.path}-wal`;
  // There is none in memory, and none before the first write.
  if (file.db.memory || !existsSync(log)) return;
  syncFile(log);
  syncFolder(dirname(log));
}

/** Gives the pages of deleted rows back to the file system. */
export function* reclaim(file: CollectionFile): Steps<void> {
  const { db } = file;
  const free = () => db.pragma('freelist_count', { simple: true }) as number;
  for (let left = free(); left > 0; ) {
    db.pragma(`incremental_vacuum(${FREE_PAGES_STEP})`);
    file.logBytes += FREE_PAGES_STEP * file.pageBytes;
    if (needsCheckpoint(file)) checkpoint(file);
    yield undefined;
    const now = free();
    if (now >= left) break;
    left = now;
  }
  if (!db.memory) db.pragma('wal_checkpoint(TRUNCATE)');
}
