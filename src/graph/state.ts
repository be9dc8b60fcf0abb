import type { IndexModel } from '../quant/model.js';
import type { GivenIds } from './given-ids.js';
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
  /** Whether a live id is that of a vector still being added; undefined while there are none. */
  isAdding: ((id: number) => boolean) | undefined;
  /** Ids given to the additions that run or wait. */
  readonly given: Set<GivenIds>;
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
  const ids = new IdTable();
  return { options, model, shards, ids, isAdding: undefined, given: new Set(), shared };
}

/** Number of vectors that a search can find. */
export function searchableCount({ shards }: IndexState): number {
  let count = 0;
  for (const shard of shards) count += shard.searchable;
  return count;
}
