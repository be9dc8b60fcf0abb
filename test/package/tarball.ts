import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.js';

/** The checkout that is packed. */
export const ROOT = join(import.meta.dirname, '..', '..');

export interface Tarball {
  path: string;
  /** Bytes of all its files. */
  unpackedSize: number;
  files: { path: string; size: number }[];
}

/** Packs the checkout, as it was built, into `folder`. */
export async function packTarball(folder: string): Promise<Tarball> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as (Omit<Tarball, 'path'> & { filename: string })[];
  const { filename, unpackedSize, files } = packed!;
  return { path: join(folder, filename), unpackedSize, files };
}

/** A new empty folder outside the checkout, so that nothing is found in a node_modules above it. */
export function emptyFolder(name: string): string {
  return mkdtempSync(join(realpathSync(tmpdir()), `leandex-${name}-`));
}
