import { LeandexError } from '../base/errors.js';
import type { PointId } from '../base/point-id.js';
import { type RunOptions, runSteps, type Steps, throwIfAborted } from '../base/steps.js';
import { checkChange, type PayloadChange } from '../filter/change-payload.js';
import type { StoredCollection } from '../store/stored-collection.js';
import {
  type Moved,
  NONE,
  type Target as StoredTarget,
  type VectorColumn,
} from '../store/types.js';
import type { Filtering } from './filtering.js';
import type { Indexer } from './indexer.js';
import { packPoints, packVectors, STEPS_AT_ONCE } from './points.js';
import { checkTarget } from './reading.js';
import { freshRowsMax } from './row-index.js';
import type { CollectionState } from './state.js';
import type { Point, Target, WriteResult } from './types.js';
import type { Write, WriteLine } from './write-line.js';

/** What writes need of their collection. */
export interface WriteContext {
  state: CollectionState;
  stored: StoredCollection;
  filtering: Filtering;
  indexers: readonly Indexer[];
  line: WriteLine;
  /** Throws where nothing may be written any more, as after close(). */
  requireWritable: () => void;
  /** Memory can no longer follow: nothing may go on as if it did. */
  onLostStep: (cause: unknown) => void;
  onWritten: () => void;
}

/**
 * Writes whole points, in place of those with the same ids. All or nothing.
 * @param first the number of the first of them, for messages
 */
export function upsertPoints(
  context: WriteContext,
  points: readonly Point[],
  { signal }: RunOptions,
  first = 0,
): Promise<WriteResult> {
  const { state, stored } = context;
  const packed = pack(packPoints(points, state.configs, first), signal);
  return write(context, {
    prepare: () => withRoom(context, packed, signal),
    send: (batch) => stored.upsert(batch),
    apply: async (written, batch) => {
      await state.replace(batch, written);
      return { version: written.version, count: written.rows.filter((row) => row !== NONE).length };
    },
  });
}

/** Puts other vectors in the place of some of the vectors of points. */
export function updateVectors(
  context: WriteContext,
  points: readonly unknown[],
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  const packed = pack(packVectors(points, state.configs), signal);
  return write(context, {
    prepare: () => withRoom(context, packed, signal),
    send: (batch) => stored.updateVectors(batch),
    apply: (written, { ids, columns }) => replaceRows(context, written, ids, columns),
  });
}

/**
 * Checks and gathers a batch: all of it at once, so that the caller may go on to use the arrays, but
 * for a very large one, which is gathered in slices from now on.
 */
function pack<T>(steps: Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  const packed = packNow(steps, signal);
  // What is wrong with it is told when its turn comes, which may be later.
  packed.catch(() => {});
  return packed;
}

async function packNow<T>(steps: Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let i = 0; i < STEPS_AT_ONCE; i++) {
    const { value, done } = steps.next();
    if (done) return value;
  }
  return runSteps(steps, signal ? { signal } : {});
}

/** A batch once there is room for its vectors. */
async function withRoom<T extends { columns: readonly VectorColumn[] }>(
  context: WriteContext,
  packed: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const batch = await packed;
  for (const { field, offsets } of batch.columns) {
    if (context.state.fields[field]!.hasRoomFor(offsets?.at(-1) ?? 0)) continue;
    const problem = 'points with several vectors have filled the memory for these';
    throw new LeandexError('RESOURCE_EXHAUSTED', `${problem}: fewer tokenBits take less of it`);
  }
  await roomFor(context, signal);
  return batch;
}

/** Takes vectors from points, which keep the others and their payloads. */
export function deleteVectors(
  context: WriteContext,
  target: Target,
  fields: readonly number[],
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  return write(context, {
    ...targeted(context, target, signal),
    send: (points) => stored.deleteVectors(points, [...fields]),
    apply: (written, points) => replaceRows(context, written, idsOf(state, points), []),
  });
}

/** Rows that have taken the place of others, with vectors that are new and some that were moved. */
async function replaceRows(
  { state }: WriteContext,
  written: Moved,
  ids: readonly PointId[],
  columns: readonly VectorColumn[],
): Promise<WriteResult> {
  const { version, rows, payloads, carried } = written;
  await state.replace({ ids, payloads, columns: [...columns, ...carried] }, written);
  return { version, count: rows.filter((row) => row !== NONE).length };
}

/** The ids of the points that a write was about, before it is applied. */
function idsOf({ ids }: CollectionState, target: StoredTarget): readonly PointId[] {
  if ('ids' in target) return target.ids;
  return Array.from(target.rows, (row) => ids.get(row)!);
}

/** Deletes points; ids that are not there are no error. */
export function deletePoints(
  context: WriteContext,
  target: Target,
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  return write(context, {
    ...targeted(context, target, signal),
    send: (points) => stored.remove(points),
    apply: async ({ version, removed }) => {
      await state.remove(removed, version);
      return { version, count: removed.length };
    },
  });
}

/** Changes the payloads of points. */
export function changePayloads(
  context: WriteContext,
  target: Target,
  change: PayloadChange,
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  // A copy: it is sent when its turn comes.
  const checked = structuredClone(checkChange(change));
  return write(context, {
    ...targeted(context, target, signal),
    send: (points) => stored.changePayload(points, checked),
    apply: async (changed) => {
      await state.changePayloads(changed);
      return { version: changed.version, count: changed.rows.length };
    },
  });
}

/** A write about some points: a filter is answered when the writes before it have been applied. */
function targeted({ filtering }: WriteContext, target: Target, signal: AbortSignal | undefined) {
  const checked = checkTarget(target);
  return {
    isDependent: 'filter' in checked,
    prepare: async (): Promise<StoredTarget> => {
      throwIfAborted(signal);
      if ('ids' in checked) return checked;
      const rows = await filtering.rowsFor(checked.filter, signal);
      throwIfAborted(signal);
      return { rows: rows!.toRows() };
    },
  };
}

async function write<Request, Reply>(
  context: WriteContext,
  { apply, ...rest }: Write<Request, Reply, WriteResult>,
): Promise<WriteResult> {
  context.requireWritable();
  const result = await context.line.run({
    ...rest,
    apply: async (reply: Reply, request: Request) => {
      try {
        return await apply(reply, request);
      } catch (cause) {
        context.onLostStep(cause);
        throw cause;
      }
    },
  });
  context.onWritten();
  return result;
}

/** Waits while more new vectors are held in memory than the graph has taken. */
async function roomFor({ indexers }: WriteContext, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  for (const indexer of indexers) {
    const { fresh, config } = indexer.field.index;
    while (fresh.count >= freshRowsMax(config.size)) {
      indexer.schedule();
      if (!indexer.isWorking) throw noRoom(fresh.count, indexer.error);
      await indexer.step();
      throwIfAborted(signal);
    }
  }
}

function noRoom(count: number, cause: unknown): LeandexError {
  const problem = `${count} vectors are held as float32, and no graph takes them`;
  return new LeandexError('RESOURCE_EXHAUSTED', `${problem}: lower exactBelow`, { cause });
}
