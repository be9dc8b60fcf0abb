import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LeandexError } from '../../src/base/errors.js';

/** What this process is at work on. */
const ours = new Set<string>();

/**
 * Does what nobody else may do in the folder at the same time, under a name. A file with the number of
 * the process says so to others; one of a process that is gone is removed.
 * @throws LeandexError `BUSY` while another call or process does it.
 */
export async function exclusively<T>(
  folder: string,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const prefix = `${name}.lock-`;
  const own = join(folder, `${prefix}${process.pid}`);
  if (ours.has(own)) throw busy(folder, name, process.pid);
  ours.add(own);
  try {
    // Each says that it is here before it looks for others: of two at once, one at the most goes on.
    mkdirSync(folder, { recursive: true });
    writeFileSync(own, '');
    for (const file of readdirSync(folder)) {
      const pid = file.startsWith(prefix) ? Number(file.slice(prefix.length)) : process.pid;
      if (pid === process.pid) continue;
      if (isAlive(pid)) throw busy(folder, name, pid);
      rmSync(join(folder, file), { force: true });
    }
    return await work();
  } finally {
    rmSync(own, { force: true });
    ours.delete(own);
  }
}

function isAlive(pid: number): boolean {
  try {
    // Sends nothing: it only asks.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

function busy(folder: string, name: string, pid: number): LeandexError {
  const message = `${name} is being downloaded into ${folder} already, by process ${pid}`;
  return new LeandexError('BUSY', message, { details: { folder, name, pid } });
}
