import type { KvCacheSet } from '../../datasets/kv-cache.js';
import { errorsOf, type KvErrors } from './errors.js';
import { type Coded, lvq, rankOfGroup, svd } from './methods.js';

/** Errors that were measured by others with numpy on kv-smollm2-1k: of keys, values, attention. */
type Reference = readonly [keys: number, values: number, attention: number];

interface Row {
  readonly name: string;
  readonly reference: Reference;
  readonly code: (set: KvCacheSet) => Coded;
}

/** The single-layer rank in whose bytes groups of layers are compared. */
const SINGLE_RANK = 48;

const ROWS: readonly Row[] = [
  ...(
    [
      [8, [0.004, 0.007, 0.015]],
      [4, [0.063, 0.112, 0.253]],
      [2, [0.322, 0.565, 1.19]],
    ] as const
  ).map(([bits, reference]) => ({
    name: `LVQ-${bits} per token`,
    reference,
    code: (set: KvCacheSet) => lvq(set, bits, 192, 0),
  })),
  ...(
    [
      [8, [0.003, 0.005, 0.01]],
      [4, [0.048, 0.088, 0.182]],
      [2, [0.243, 0.443, 0.907]],
    ] as const
  ).map(([bits, reference]) => ({
    name: `LVQ-${bits} per token and head`,
    reference,
    code: (set: KvCacheSet) => lvq(set, bits, 64, 0),
  })),
  ...(
    [
      [96, [0.078, 0.269, 0.335]],
      [48, [0.157, 0.47, 0.512]],
      [24, [0.23, 0.621, 0.682]],
    ] as const
  ).map(([rank, reference]) => ({
    name: `single-layer SVD, float16, rank ${rank}`,
    reference,
    code: (set: KvCacheSet) => svd(set, 1, rank),
  })),
  ...(
    [
      [2, [0.136, 0.416, 0.462]],
      [3, [0.126, 0.383, 0.429]],
      [5, [0.118, 0.355, 0.405]],
      [10, [0.116, 0.338, 0.374]],
    ] as const
  ).map(([group, reference]) => ({
    name: `xKV, float16, groups of ${group}`,
    reference,
    code: (set: KvCacheSet) => svd(set, group, rankOfGroup(set, group, SINGLE_RANK)),
  })),
];

export interface PublishedRow extends KvErrors {
  readonly name: string;
  readonly reference: Reference;
  /** Largest relative difference to the reference, of errors that it gives two digits of. */
  readonly difference: number;
}

/** Methods as they were published, no token exact: against figures that are known. */
export function measurePublished(set: KvCacheSet): PublishedRow[] {
  return ROWS.map(({ name, reference, code }) => {
    const errors = errorsOf(set, code(set));
    const found = [errors.keys, errors.values, errors.attention];
    const differences = found.map((error, i) => {
      return reference[i] < 0.02 ? 0 : Math.abs(error / reference[i] - 1);
    });
    return { name, reference, ...errors, difference: Math.max(...differences) };
  });
}
