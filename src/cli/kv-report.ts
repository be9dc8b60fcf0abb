import { table } from '../../bench/markdown.js';
import { readWhole } from '../../datasets/file-stream.js';
import { type CodedError, outOfRange } from '../base/errors.js';
import type { LayerSpan } from '../kv/basis.js';
import { KvCache } from '../kv/cache.js';
import { KvModel } from '../kv/model.js';

const HALF_BYTES = 2;

/**
 * What a file holds: a model, or a cache, which needs the model that it was compressed with.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED_VERSION`; RangeError `INVALID_ARGUMENT`
 * for another model than the cache's, or none where it needs one.
 */
export async function readKvFile(path: string, modelPath?: string): Promise<KvModel | KvCache> {
  const bytes = await readWhole(path);
  const model = modelPath === undefined ? undefined : await readKvModel(modelPath);
  try {
    return KvCache.fromBytes(bytes, model);
  } catch (error) {
    const { details } = error as CodedError;
    if (details?.received === 'kv-model') return KvModel.fromBytes(bytes);
    if (details?.what !== 'model') throw error;
    throw outOfRange('--model', String(details.expected), modelPath ?? 'none');
  }
}

export async function readKvModel(path: string): Promise<KvModel> {
  return KvModel.fromBytes(await readWhole(path));
}

export function asModelJson(model: KvModel) {
  return {
    kind: 'model',
    id: model.id,
    options: model.options,
    bytes: model.toBytes().length,
    groups: model.bases.map(({ kind, layers, dimensions, rank, variances, totalVariance }) => {
      const kept = variances.reduce((sum, x) => sum + x, 0);
      const energyKept = totalVariance > 0 ? kept / totalVariance : 1;
      return { kind, layers, dimensions, rank, energyKept };
    }),
  };
}

export function asCacheJson(cache: KvCache) {
  const { options, tokens, basis, bytes, groups } = cache;
  const { layers, kvHeads, headDim } = options;
  const float16 = HALF_BYTES * 2 * layers * tokens * kvHeads * headDim;
  return { kind: 'cache', options, tokens, basis, bytes: { ...bytes, float16 }, groups };
}

export function modelText(model: KvModel): string {
  const { options, bytes, groups } = asModelJson(model);
  const head = ['part', 'layers', 'numbers', 'rank', 'energy kept'];
  const rows = groups.map(({ kind, layers, dimensions, rank, energyKept }) => [
    kind,
    spanText(layers),
    String(dimensions),
    String(rank),
    energyKept.toFixed(4),
  ]);
  const { layers, kvHeads, headDim, bitsPerNumber } = options;
  const shape = `${layers} layers, ${kvHeads} heads of ${headDim}, ${bitsPerNumber} bits a number`;
  return `model of ${shape}; ${bytesText(bytes)}\n\n${table(head, rows)}\n`;
}

export function cacheText(cache: KvCache): string {
  const { tokens, basis, bytes, groups } = asCacheJson(cache);
  const head = [
    'part',
    'layers',
    'from token',
    'basis',
    'components',
    'rank',
    'bits',
    'exact',
    'bytes',
  ];
  const rows = groups.map((group) => [
    group.kind,
    spanText(group.layers),
    String(group.from),
    group.basis,
    String(group.components),
    String(group.rank),
    group.bitsPerNumber.toFixed(2),
    String(group.exact),
    group.bytes.toLocaleString('en-US'),
  ]);
  const times = (of: number) => `${(bytes.float16 / of).toFixed(1)}x smaller than float16`;
  const own = bytes.basis > 0 ? `, ${times(bytes.total)} with its basis` : '';
  return [
    `cache of ${tokens.toLocaleString('en-US')} tokens, basis ${basis}`,
    `tokens ${bytesText(bytes.tokens)}, basis ${bytesText(bytes.basis)}; ${times(bytes.tokens)}${own}`,
    '',
    table(head, rows),
    '',
  ].join('\n');
}

function spanText({ first, count }: LayerSpan): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

function bytesText(bytes: number): string {
  return `${bytes.toLocaleString('en-US')} bytes`;
}
