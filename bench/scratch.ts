import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the time of a run; it is gone afterwards, also when the process exits meanwhile. */
export async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-bench-'));
  // Processes that are just ending may still write.
  const cleanUp = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', cleanUp);
  try {
    return await use(folder);
  } finally {
    process.off('exit', cleanUp);
    cleanUp();
  }
}
