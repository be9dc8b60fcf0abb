import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { checkShape, type KvShape, widthOf } from './shape.js';

/** Adjacent layers that share their coefficients; see KvOptions. */
export type KvGrouping = 'auto' | number;

export interface KvOptions extends KvShape {
  /**
   * Stored bits for each number of keys and values, exact tokens included. Default 2, an eighth of
   * float16.
   */
  bitsPerNumber?: number;
  /**
   * How many adjacent layers share their coefficients, or `auto`: up to three whose subspaces align,
   * of at most 2,048 numbers a token together. Default `auto`.
   */
  group?: KvGrouping;
  /** First tokens that are kept exact ("attention sinks"). Default 4. */
  sinks?: number;
  /**
   * What a relative error of the keys counts against one of the values. Default 1.5, with which the
   * error of attention is least on real caches, at any number of bits (docs/kv-cache.md).
   */
  keyWeight?: number;
}

export type ResolvedKv = Required<KvOptions>;

export const KV_OPTIONS = [
  'layers',
  'kvHeads',
  'headDim',
  'bitsPerNumber',
  'group',
  'sinks',
  'keyWeight',
] as const satisfies readonly (keyof KvOptions)[];

/** Layers of a group with `auto`: more gain little with a calibrated basis, and cost time. */
const AUTO_GROUP_MAX = 3;
/** Numbers of a token in such a group: eigenvectors of more take minutes. */
const AUTO_DIMENSIONS_MAX = 2048;

/** The most layers that share their coefficients. */
export function largestGroup({ group, ...shape }: ResolvedKv): number {
  if (group !== 'auto') return group;
  const fitting = Math.floor(AUTO_DIMENSIONS_MAX / widthOf(shape));
  return Math.max(1, Math.min(AUTO_GROUP_MAX, fitting));
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` */
export function resolveKv(what: string, options: KvOptions): ResolvedKv {
  checkOptions(what, options, KV_OPTIONS);
  const shape = checkShape(options);
  const group = options.group ?? 'auto';
  if (group !== 'auto') checkInteger('group', group, 1, shape.layers);
  return {
    ...shape,
    bitsPerNumber: checkBits(options.bitsPerNumber ?? 2),
    group,
    sinks: checkInteger('sinks', options.sinks ?? 4, 0, 1024),
    keyWeight: checkBetween('keyWeight', options.keyWeight ?? 1.5, 1e-3, 1e3),
  };
}

/** @throws TypeError, RangeError unless bits are from 0.05 to 8. */
export function checkBits(value: unknown): number {
  return checkBetween('bitsPerNumber', value, 0.05, 8);
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` unless value is a number in [least, most]. */
export function checkBetween(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value);
  if (!(value >= least && value <= most)) throw outOfRange(what, `from ${least} to ${most}`, value);
  return value;
}
