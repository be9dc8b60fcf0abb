import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy, writeNpy } from '../datasets/npy.js';
import { packageFolder } from '../datasets/package-folder.js';
import { exactNeighbours, type GroundTruth } from '../src/eval/ground-truth.js';
import type { BenchCase } from './cases.js';
import type { BenchData } from './data.js';

/** SHA-256 of anything that JSON can say. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * SHA-256 of compiled code, in folders of dist. It names what the code made in the cache: during
 * development the version stays while the bytes of an index, or the way to measure, change.
 */
export function codeHash(folders: readonly string[], root = join(packageFolder(), 'dist')): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort();
    for (const file of files) {
      if (!file.endsWith('.js')) continue;
      const path = join(folder, file);
      hash.update(path).update(readFileSync(join(root, path)));
    }
  }
  return hash.digest('hex');
}

/** The exact neighbours of a case, twice as many as k so that ties at the k-th are recognised. */
export function groundTruth(
  { distance, k }: BenchCase,
  data: BenchData,
  folder: string | undefined,
): GroundTruth {
  const { corpus, queries, dimensions, info } = data;
  const depth = Math.min(2 * k, info.count);
  if (folder === undefined) return exactNeighbours(corpus, queries, dimensions, depth, distance);
  // The same bytes may be other rows: of other dimensions, or with fewer queries.
  const shape = [info.count, info.queries, dimensions];
  const path = join(folder, `truth-${keyOf(info.sha256, shape, distance, depth)}`);
  const cached = readTruth(path);
  if (cached !== undefined) return { distance, k: depth, ...cached };
  const truth = exactNeighbours(corpus, queries, dimensions, depth, distance);
  mkdirSync(folder, { recursive: true });
  const part = `${path}.${process.pid}.part`;
  // The ids come last, and both by renaming: where they are, both files are whole.
  for (const name of ['scores', 'ids'] as const) {
    writeNpy(part, [info.queries, depth], truth[name]);
    renameSync(part, `${path}.${name}.npy`);
  }
  return truth;
}

function readTruth(path: string): Pick<GroundTruth, 'ids' | 'scores'> | undefined {
  if (!existsSync(`${path}.ids.npy`)) return undefined;
  return {
    ids: readNpy(`${path}.ids.npy`).data as Uint32Array,
    scores: readNpy(`${path}.scores.npy`).data as Float64Array,
  };
}
