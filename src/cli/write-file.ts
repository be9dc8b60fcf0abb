import { rename, rm, writeFile } from 'node:fs/promises';

/** Puts a file in its place as a whole, so that nobody finds half of one. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, bytes);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
