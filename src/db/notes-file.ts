import { readFile } from 'node:fs/promises';
import { LeandexError } from '../base/errors.js';
import { checkPayload } from '../filter/payload.js';
import { nodeFileSystem } from '../format/file-system.js';
import { replaceFile } from '../format/replace-file.js';

/** What was noted beside a database; undefined where nothing was. @throws LeandexError `CORRUPT` */
export async function readNotes(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LeandexError('CORRUPT', `${path} is damaged: it is not JSON`, { cause });
  }
}

/** @throws TypeError, RangeError for anything but JSON as bounded as payloads are */
export function checkNotes(what: string, value: unknown): void {
  checkPayload(what, value);
}

/** Puts other notes, which JSON can hold, in the place of those there are: wholly, or not at all. */
export async function writeNotes(path: string, notes: unknown): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(notes, null, 2)}\n`);
  await replaceFile(nodeFileSystem, path, (write) => write(bytes));
}
