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
import type { FieldConfig } from './config.js';
import type { Filtering } from './filtering.js';
import type { Indexer } from './indexer.js';
import { packPoints, packVectors } from './points.js';
import { checkTarget } from './reading.js';
import type { CollectionState } from './state.js';
import type { Point, Target, WriteResult } from './types.js';
import type { Write, WriteLine } from './write-line.js';

/** Rows that are held as float32 until the graph takes them: further writes wait for it beyond. */
const FRESH_ROWS_MAX = 400_000;
const FRESH_BYTES_MAX = 2 ** 30;

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

/** Writes whole points, in place of those with the same ids. All or nothing. */
export function upsertPoints(
  context: WriteContext,
  points: readonly Point[],
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  return write(context, {
    prepare: () => pack(context, packPoints(points, configsOf(state)), signal),
    send: (batch) => stored.upsert(batch),
    apply: async (written, batch) => {
      await state.replace(batch, written);
      return { version: written.version, count: written.rows.filter((row) => row !== NONE).length };
    },
  });
}

/** Checks and gathers a batch once there is room for its vectors. */
async function pack<T>(
  context: WriteContext,
  steps: Steps<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  await roomFor(context, signal);
  return runSteps(steps, signal ? { signal } : {});
}

/** Puts other vectors in the place of some of the vectors of points. */
export function updateVectors(
  context: WriteContext,
  points: unknown,
  { signal }: RunOptions,
): Promise<WriteResult> {
  const { state, stored } = context;
  return write(context, {
    prepare: () => pack(context, packVectors(points, configsOf(state)), signal),
    send: (batch) => stored.updateVectors(batch),
    apply: (written, { ids, columns }) => replaceRows(context, written, ids, columns),
  });
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
    apply: ({ version, removed }) => {
      state.remove(removed, version);
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
  const checked = checkChange(change);
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
async function roomFor({ state, indexers }: WriteContext, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  for (const [field, { fresh, config }] of state.fields.entries()) {
    const most = Math.min(FRESH_ROWS_MAX, Math.floor(FRESH_BYTES_MAX / (4 * config.size)));
    while (fresh.count >= most) {
      const indexer = indexers[field]!;
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

function configsOf({ fields }: CollectionState): FieldConfig[] {
  return fields.map(({ config }) => config);
}
