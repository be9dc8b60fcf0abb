import { LeandexError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import { orderByLid } from '../eval/lid.js';
import { lidOfRows } from '../eval/lid-of-rows.js';
import { modelSteps } from '../quant/model.js';
import type { Crew } from '../threads/crew.js';
import { insertSteps, storeSteps } from './build.js';
import { type GivenIds, requireUnused } from './given-ids.js';
import type { IdTable, Place } from './id-table.js';
import { repairSteps } from './repair.js';
import { checkRowValues, requireUnchanged } from './rows.js';
import type { Shard } from './shard.js';
import { emptyShards, type IndexState } from './state.js';

/** Rows that get ids between two yields. */
const IDS_PER_STEP = 4096;

/** What a write needs of the index besides its state. */
export interface WriteContext {
  crew: Crew;
  /** Resolves when the searches that run in other threads now have ended. */
  searchesDone: () => Promise<unknown> | undefined;
  /** Queries of the kind to come, checked rows, for training; undefined trains on the data. */
  queries?: Float32Array | undefined;
  /** The ids of the rows to add; undefined gives them the next ones. */
  given?: GivenIds | undefined;
}

/**
 * Adds checked rows and returns their ids. All or nothing: after an error the index holds what it
 * held, though ids that were given out meanwhile are not given out again.
 */
export function* addSteps(
  state: IndexState,
  vectors: Float32Array,
  length: number,
  context: WriteContext,
): Steps<Uint32Array> {
  requireUnchanged(vectors, length);
  const { options, ids } = state;
  const count = length / options.dimensions;
  if (context.given === undefined) ids.requireIds(count);
  else yield* requireUnused(ids, context.given);
  yield* checkRowValues(vectors, { ...options, model: state.model });
  const total = ids.size + count;
  if (state.model === undefined && total >= options.exactBelow && total > 0) {
    return yield* becomeGraph(state, vectors, context);
  }
  yield* repairSteps(state, context.crew, 'before insertion');
  return yield* addToShards(state, vectors, context);
}

/** Trains on everything, stored and new, and builds the graph beside the exact store. */
function* becomeGraph(
  state: IndexState,
  vectors: Float32Array,
  context: WriteContext,
): Steps<Uint32Array> {
  const { options, ids } = state;
  const { stored, storedIds } = storedVectors(state);
  const all = stored.length === 0 ? vectors : concatenate(stored, vectors);
  const model = yield* modelSteps(all, { ...options, queries: context.queries });
  const count = all.length / options.dimensions;
  // Only now is it known how long a vector may be; under cosine it does not matter.
  if (options.distance !== 'Cosine') yield* checkRowValues(all, { ...options, model });
  const shards = emptyShards(state, model, count);
  const places = placeRows(shards, count);
  for (const [at, { first, slots }] of places.entries()) {
    const order = yield* insertionOrder(state, all, first, slots.length);
    const plan = { ...options, vectors: all, first, slots, order };
    yield* insertSteps(shards[at]!.nodes, plan, context.crew);
    shards[at]!.fill(slots);
  }
  const added = nameRows(ids, shards, places, storedIds, context.given);
  state.shards = shards;
  state.model = model;
  return added;
}

/**
 * Moves the stored ids to their rows and gives ids to the new ones, which it returns. Rows keep their
 * order, so each stored id finds a free place: its own, or one given up before.
 */
function nameRows(
  ids: IdTable,
  shards: readonly Shard[],
  places: readonly Placement[],
  storedIds: readonly number[],
  given: GivenIds | undefined,
): Uint32Array {
  const added: number[] = [];
  for (const [shard, { first, slots }] of places.entries()) {
    for (const [i, slot] of slots.entries()) {
      const stored = storedIds[first + i];
      const id = stored ?? given?.ids[added.length] ?? ids.nextId;
      if (stored === undefined) added.push(id);
      const before = ids.place(id);
      const isNew = stored === undefined && !given?.deleted.has(id);
      if (isNew) ids.assign(slot, shard, id);
      // Deleted while the graph was being built.
      else if (before === undefined) shards[shard]!.remove(slot);
      else if (shard !== before.shard || slot !== before.slot) ids.move(id, shard, slot);
    }
  }
  return Uint32Array.from(added);
}

/** The vectors of an exact store in the order of their slots, with their ids. */
function storedVectors({ options, shards, ids }: IndexState) {
  const { nodes } = shards[0]!;
  const { dimensions } = options;
  const stored = new Float32Array(ids.size * dimensions);
  const storedIds: number[] = [];
  for (let slot = 0; slot < nodes.used; slot++) {
    const id = ids.idAt(0, slot);
    if (id < 0) continue;
    const vector = nodes.kernels.f32(nodes.secondaryOf(slot), dimensions);
    stored.set(vector, storedIds.length * dimensions);
    storedIds.push(id);
  }
  return { stored, storedIds };
}

function concatenate(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Rows first … first + slots.length − 1 go to these slots of a shard. */
interface Placement {
  first: number;
  slots: Uint32Array;
}

/** Spreads rows over the shards so that these become equally full. */
function placeRows(shards: readonly Shard[], count: number): Placement[] {
  const total = shards.reduce((sum, { live }) => sum + live, 0) + count;
  let first = 0;
  return shards.map((shard, i) => {
    const share =
      Math.ceil((total * (i + 1)) / shards.length) - Math.ceil((total * i) / shards.length);
    const isLast = i === shards.length - 1;
    const size = isLast ? count - first : Math.min(count - first, Math.max(0, share - shard.live));
    const slots = shard.takeSlots(size);
    first += size;
    return { first: first - size, slots };
  });
}

/** Inserts rows where others are; searches find the first of them while the last are inserted. */
function* addToShards(
  state: IndexState,
  vectors: Float32Array,
  context: WriteContext,
): Steps<Uint32Array> {
  const { ids, shards } = state;
  const { given } = context;
  const added: (Place & { id: number })[] = [];
  const { nextId } = ids;
  let complete = false;
  state.isAdding = given?.has ?? ((id) => id >= nextId);
  try {
    yield* insertRows(state, vectors, context, (shard, slot) => {
      const id = given?.ids[added.length] ?? ids.nextId;
      if (!given?.deleted.has(id)) ids.assign(slot, shard, id);
      added.push({ id, shard, slot });
    });
    complete = true;
  } finally {
    state.isAdding = undefined;
    if (!complete) for (const { id } of added) ids.remove(id);
  }
  for (const { id, shard, slot } of added) {
    // Deleted while it was being added: removeIds() left its slot to this.
    if (ids.slotOf(id) < 0) shards[shard]!.remove(slot);
  }
  return Uint32Array.from(added, ({ id }) => id);
}

/** Inserts rows into free slots, which `take` hears of in the order of the rows. */
function* insertRows(
  state: IndexState,
  vectors: Float32Array,
  { crew, searchesDone }: WriteContext,
  take: (shard: number, slot: number) => void,
): Steps<void> {
  const { options, shards } = state;
  const places = placeRows(shards, vectors.length / options.dimensions);
  let filled = 0;
  try {
    let mustWait = true;
    try {
      mustWait = makeRoom(shards, places);
    } finally {
      // Also where only a part of the room could be made: a later write may find all that it needs.
      const searches = mustWait ? searchesDone() : undefined;
      if (searches !== undefined) yield searches;
    }
    for (const [shard, { slots }] of places.entries()) {
      for (const [i, slot] of slots.entries()) {
        take(shard, slot);
        if (i % IDS_PER_STEP === 0) yield;
      }
    }
    for (const { first, slots } of places) {
      const shard = shards[filled]!;
      if (shard.isGraph) {
        const order = yield* insertionOrder(state, vectors, first, slots.length);
        yield* insertSteps(shard.nodes, { ...options, vectors, first, slots, order }, crew);
      } else {
        yield* storeSteps(shard.nodes, vectors, first, slots);
      }
      shard.fill(slots);
      filled++;
    }
  } finally {
    if (filled < shards.length) undoInsert(shards, places, filled);
  }
}

/**
 * Makes room for the slots. Returns whether searches in other threads must end before anything is
 * put there: they may stand at a slot that was free, or have no marks for a new one.
 */
function makeRoom(shards: readonly Shard[], places: readonly Placement[]): boolean {
  let mustWait = false;
  places.forEach(({ slots }, i) => {
    const { nodes } = shards[i]!;
    const { capacity } = nodes;
    const end = slots.reduce((most, slot) => Math.max(most, slot + 1), 0);
    nodes.ensureNodes(end);
    mustWait ||= nodes.capacity > capacity || slots.some((slot) => slot < nodes.used);
  });
  return mustWait;
}

function undoInsert(shards: readonly Shard[], places: readonly Placement[], filled: number): void {
  places.forEach(({ slots }, i) => {
    const shard = shards[i]!;
    if (i < filled) for (const slot of slots) shard.remove(slot);
    else shard.abandon(slots);
  });
}

/** The order in which rows are inserted, as places among them; undefined for their own. */
function* insertionOrder(
  { options }: IndexState,
  vectors: Float32Array,
  first: number,
  count: number,
): Steps<Uint32Array | undefined> {
  const { order, seed, dimensions, distance } = options;
  if (order === 'given' || count === 0) return undefined;
  if (order === 'shuffle') return new Random(seed).permutation(count);
  const rows = vectors.subarray(first * dimensions, (first + count) * dimensions);
  const lids = yield* lidOfRows(rows, { dimensions, distance, seed });
  return orderByLid(lids, order);
}

/** Puts a checked vector in the place of that of a live id, which keeps its id. */
export function* updateSteps(
  state: IndexState,
  id: number,
  vector: Float32Array,
  context: WriteContext,
): Steps<void> {
  const { ids, options } = state;
  if (ids.slotOf(id) < 0) throw notFound(id);
  requireUnchanged(vector, options.dimensions);
  yield* checkRowValues(vector, { ...options, model: state.model }, 'vector');
  yield* repairSteps(state, context.crew, 'before insertion');
  const { shards } = state;
  const taken = { shard: 0, slot: 0 };
  yield* insertRows(state, vector, context, (shard, slot) => Object.assign(taken, { shard, slot }));
  const before = ids.place(id);
  if (before === undefined) {
    // Deleted while its new vector was being linked: it stays deleted.
    shards[taken.shard]!.remove(taken.slot);
    throw notFound(id);
  }
  ids.move(id, taken.shard, taken.slot);
  shards[before.shard]!.remove(before.slot);
}

function notFound(id: number): LeandexError {
  return new LeandexError('NOT_FOUND', `no vector has the id ${id}`, { details: { id } });
}

/** Deletes ids, from this moment on; returns how many of them lived or were to be added. */
export function removeIds(
  { ids, shards, isAdding, given }: IndexState,
  wanted: Iterable<number>,
): number {
  let removed = 0;
  for (const id of wanted) {
    let isThere = false;
    for (const { has, deleted } of given) {
      if (!has(id) || deleted.has(id)) continue;
      deleted.add(id);
      isThere = true;
    }
    const place = ids.place(id);
    if (place !== undefined) {
      ids.remove(id);
      if (!isAdding?.(id)) shards[place.shard]!.remove(place.slot);
    }
    if (isThere || place !== undefined) removed++;
  }
  return removed;
}
