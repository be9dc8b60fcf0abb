import { open, rename, rm } from 'node:fs/promises';

/** Writes a file part by part and puts it in its place as a whole, so that nobody finds half of one. */
export async function writeWhole(
  path: string,
  write: (put: (part: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w');
    try {
      await write((bytes) => file.writeFile(bytes));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
