import type { KvCacheSet } from '../../datasets/kv-cache.js';
import type { KvModel } from '../../src/kv/model.js';
import { errorsOf, type KvErrors } from './errors.js';
import { type Coded, halfBytes, leandex, lvq, miniCache, svd } from './methods.js';

const SINKS = 4;
/** Times fewer bytes than float16. */
export const LEVELS = [4, 16 / 3, 8, 16];

type Method = (set: KvCacheSet, most: number) => Coded | undefined;

/** The most of a rising series that has no more bytes than `most`. */
function largest<T>(
  choices: readonly T[],
  code: (choice: T) => Coded,
  most: number,
): Coded | undefined {
  let best: Coded | undefined;
  for (const choice of choices) {
    const coded = code(choice);
    if (coded.bytes.total > most) break;
    best = coded;
  }
  return best;
}

/** The rank of single-layer or group SVDs that fills the bytes, from what one takes. */
function svdWithin(set: KvCacheSet, group: number, most: number): Coded | undefined {
  const one = svd(set, group, 1, SINKS).bytes.total;
  const two = svd(set, group, 2, SINKS).bytes.total;
  const rank = 1 + Math.floor((most - one) / (two - one));
  return rank < 1 ? undefined : svd(set, group, rank, SINKS);
}

/** The others, sinks exact for all; each with the most that fits the bytes, bases counted. */
const OTHERS: Readonly<Record<string, Method>> = {
  'LVQ per token': (set, most) => largest([2, 3, 4, 8], (bits) => lvq(set, bits, 192, SINKS), most),
  'LVQ per token and head': (set, most) =>
    largest([2, 3, 4, 8], (bits) => lvq(set, bits, 64, SINKS), most),
  'single-layer SVD, float16': (set, most) => svdWithin(set, 1, most),
  'xKV, float16, groups of 3': (set, most) => svdWithin(set, 3, most),
  'MiniCache and LVQ per token and head': (set, most) =>
    largest([2, 3, 4] as const, (bits) => miniCache(set, bits, SINKS), most),
};

export interface ContestRow extends KvErrors {
  readonly method: string;
  /** The compression that was asked for. */
  readonly level: number;
}

/** One way to use leandex: with the bases of a model, trained on another text, or with own ones. */
export interface Variant {
  readonly name: string;
  readonly model: KvModel | undefined;
  readonly group: number | 'auto';
}

/** Errors of all methods at each level; a method without a way to be so small has no row there. */
export function measureContest(set: KvCacheSet, variants: readonly Variant[]): ContestRow[] {
  return LEVELS.flatMap((level) => {
    const most = halfBytes(set) / level;
    const rows = variants.map(({ name, model, group }): ContestRow => {
      const coded = leandex(set, 16 / level, model, group);
      return { method: `leandex, ${name}`, level, ...errorsOf(set, coded) };
    });
    for (const [method, code] of Object.entries(OTHERS)) {
      const coded = code(set, most);
      if (coded !== undefined) rows.push({ method, level, ...errorsOf(set, coded) });
    }
    return rows;
  });
}
