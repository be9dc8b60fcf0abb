import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { corrupt } from '../../datasets/errors.js';
import { type NpyFile, npyBlocks, openNpy } from '../../datasets/npy-stream.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import { throwIfAborted } from '../base/steps.js';
import type { KvShape, KvTokens } from '../kv/shape.js';

/** What the command line says of the caches; the rest is found in the files. */
export interface ShapeFlags {
  kvHeads?: number | undefined;
  headDim?: number | undefined;
  /** First layer wanted, and the last. */
  layers?: readonly [number, number] | undefined;
}

export interface CacheFiles {
  /** As it was given. */
  name: string;
  keys: NpyFile;
  values: NpyFile;
  /** Of the layers that are wanted. */
  shape: KvShape;
  firstLayer: number;
  tokens: number;
}

/**
 * Looks a cache up: a folder with keys.npy and values.npy, each [layers, tokens, kvHeads · headDim],
 * and where it is there a cache.json with kvHeads and headDim; or both files, with a comma between.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED`; RangeError `INVALID_ARGUMENT`.
 */
export async function findCache(given: string, flags: ShapeFlags): Promise<CacheFiles> {
  const [first, second, ...more] = given.split(',') as [string, ...string[]];
  if (more.length > 0 || second === '') throw wrongName(given);
  if (second === undefined && !(await isFolder(given))) throw wrongName(given);
  const paths = second === undefined ? ['keys.npy', 'values.npy'] : [first, second];
  const [keys, values] = (await Promise.all(
    paths.map((path) => openNpy(second === undefined ? join(given, path) : path)),
  )) as [NpyFile, NpyFile];
  const [layers, tokens, width] = keys.shape;
  if (keys.shape.length !== 3) {
    throw corrupt(keys.path, { offset: 0 }, 'the shape [layers, tokens, width]', `(${keys.shape})`);
  }
  if (String(values.shape) !== String(keys.shape)) {
    throw corrupt(
      values.path,
      { offset: 0 },
      `the shape of the keys, (${keys.shape})`,
      `(${values.shape})`,
    );
  }
  const noted = second === undefined ? await readNotes(join(given, 'cache.json')) : {};
  const [from, to] = flags.layers ?? [0, layers! - 1];
  if (to >= layers!)
    throw outOfRange('--layers', `of the ${layers} layers of ${given}`, `${from}-${to}`);
  const heads = headsOf(given, width!, flags, noted);
  return {
    name: given,
    keys,
    values,
    shape: { layers: to - from + 1, ...heads },
    firstLayer: from,
    tokens: tokens!,
  };
}

/** Reads the wanted layers, one array each. @throws LeandexError `ABORTED`, `CORRUPT`. */
export async function readCache(
  { keys, values, shape, firstLayer, tokens }: CacheFiles,
  signal: AbortSignal,
): Promise<KvTokens> {
  const read = async (file: NpyFile) => {
    const size = tokens * shape.kvHeads * shape.headDim;
    const layers: Float32Array[] = [];
    for (let layer = firstLayer; layer < firstLayer + shape.layers; layer++) {
      const rows = new Float32Array(size);
      let at = 0;
      for await (const block of npyBlocks(file, layer * size, (layer + 1) * size, 1)) {
        throwIfAborted(signal);
        rows.set(block, at);
        at += block.length;
      }
      layers.push(rows);
    }
    return layers;
  };
  return { keys: await read(keys), values: await read(values), tokens };
}

/** How the numbers of a token are split: as the command line says, or else what lies beside the files. */
function headsOf(
  name: string,
  width: number,
  flags: ShapeFlags,
  noted: Partial<KvShape>,
): Pick<KvShape, 'kvHeads' | 'headDim'> {
  const isSaid = flags.kvHeads !== undefined || flags.headDim !== undefined;
  const [heads, dims] = isSaid
    ? ['--kv-heads', '--head-dim']
    : ['kvHeads of cache.json', 'headDim of cache.json'];
  const { kvHeads, headDim } = isSaid ? flags : noted;
  if (kvHeads === undefined && headDim === undefined) {
    throw new LeandexError(
      'INVALID_ARGUMENT',
      `--kv-heads or --head-dim must be given: ${name} does not tell into how many heads its ${width} numbers are split`,
    );
  }
  const parts = [
    [heads, kvHeads],
    [dims, headDim],
  ] as const;
  for (const [what, part] of parts) {
    if (part === undefined || (Number.isInteger(part) && part > 0 && width % part === 0)) continue;
    throw outOfRange(what, `a divisor of ${width}, the width of ${name}`, part);
  }
  const shape = { kvHeads: kvHeads ?? width / headDim!, headDim: headDim ?? width / kvHeads! };
  const product = shape.kvHeads * shape.headDim;
  if (product === width) return shape;
  throw outOfRange(`${heads} times ${dims}`, `${width}, the width of ${name}`, product);
}

async function readNotes(path: string): Promise<Partial<KvShape>> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    const { kvHeads, headDim } = JSON.parse(text) as Partial<KvShape>;
    return { ...(kvHeads !== undefined && { kvHeads }), ...(headDim !== undefined && { headDim }) };
  } catch {
    throw corrupt(path, { line: 1 }, 'a JSON object with kvHeads and headDim', 'other text');
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new LeandexError('NOT_FOUND', `there is no folder ${path}`);
  return found.isDirectory();
}

function wrongName(given: string): Error {
  return outOfRange(
    '<cache>',
    'a folder with keys.npy and values.npy, or <keys.npy>,<values.npy>',
    given,
  );
}
