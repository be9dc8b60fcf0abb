import type { RunOptions } from '../base/steps.js';
import type { Database } from '../db/database.js';
import { open } from '../db/open.js';
import { cancellable } from './cancel.js';

/** Opens a folder for work that a signal may end (see cancellable()), and closes it whatever comes of it. */
export function withDatabase<T>(
  folder: string,
  { readOnly }: { readOnly: boolean },
  work: (db: Database, run: Required<RunOptions>) => Promise<T>,
): Promise<T> {
  return cancellable(async (run) => {
    const db = await open(folder, { readOnly, signal: run.signal });
    try {
      return await work(db, run);
    } finally {
      await db.close();
    }
  });
}
