import type { IndexModel } from '../quant/model.js';
import { IdTable } from './id-table.js';
import type { ResolvedOptions } from './options.js';
import { Shard } from './shard.js';

/** What an index consists of. The modules beside this one read and change it. */
export interface IndexState {
  readonly options: ResolvedOptions;
  /** Undefined while vectors are kept as float32, all in the first shard, and scanned. */
  model: IndexModel | undefined;
  /** Replaced as a whole where vectors move to other memories. */
  shards: Shard[];
  readonly ids: IdTable;
  /** Ids from here on are those of vectors still being added; Infinity while there are none. */
  addingFrom: number;
  /** Whether memories are shared with other threads. */
  readonly shared: boolean;
}

/** Empty shards of a model; one exact store without one. */
export function emptyShards(
  { options, shared }: Pick<IndexState, 'options' | 'shared'>,
  model: IndexModel | undefined,
  expected: number,
): Shard[] {
  const { dimensions, distance, m } = options;
  const length = model === undefined ? 1 : options.shards;
  const each = Math.ceil(expected / length);
  return Array.from({ length }, () => new Shard({ dimensions, distance, m, model }, each, shared));
}

export function emptyState(
  options: ResolvedOptions,
  model: IndexModel | undefined,
  shared: boolean,
): IndexState {
  const shards = emptyShards({ options, shared }, model, 0);
  return { options, model, shards, ids: new IdTable(), addingFrom: Infinity, shared };
}

/** Number of vectors that a search can find. */
export function searchableCount({ shards }: IndexState): number {
  let count = 0;
  for (const shard of shards) count += shard.searchable;
  return count;
}
