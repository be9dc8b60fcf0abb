import type { PointId } from '../base/point-id.js';
import { type RunOptions, runSteps, throwIfAborted } from '../base/steps.js';
import { Bitmap } from '../filter/bitmap.js';
import type { PayloadIndexes } from '../filter/payload-indexes.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { Filler } from './field.js';
import { type CollectionState, parsePayload } from './state.js';

const ROWS_PER_LIST = 4096;
const PAYLOADS_PER_READ = 512;
/** How often the store is looked at again because it was written to meanwhile. */
const TRIES_MAX = 5;

/** What the store has that memory has not, and the other way round. */
interface Difference {
  /** All rows of the store. */
  live: Bitmap;
  /** For each field, the rows that have it. */
  fieldRows: Bitmap[];
  /** Rows whose payloads memory has not seen: those that are new, and those that changed. */
  fresh: number[];
  changed: number[];
  version: number;
  nextRow: number;
}

/**
 * Brings memory up to the store, whatever it holds: nothing yet, indexes that were saved some writes
 * ago, or what another process has written over since. The event loop stays free.
 */
export async function catchUp(
  state: CollectionState,
  fillers: readonly Filler[],
  stored: StoredCollection,
  options: RunOptions = {},
  knownVersion = state.version,
): Promise<void> {
  let difference: Difference;
  for (let tries = 1; ; tries++) {
    difference = await compare(state, stored, knownVersion, options);
    await indexPayloads(state, stored, difference, options);
    // New rows come before old ones go: searches that are under way find every point.
    let isWhole = true;
    for (const [field, rows] of difference.fieldRows.entries()) {
      const missing = without(rows, state.fieldRows[field]!);
      isWhole = (await takeVectors(state, field, missing, fillers[field]!, options)) && isWhole;
    }
    if (isWhole || tries === TRIES_MAX) break;
    for (const rows of [difference.live, ...difference.fieldRows]) rows.dispose();
  }
  const { live, fieldRows, version, nextRow } = difference;
  for (const [field, rows] of fieldRows.entries()) {
    const before = state.fieldRows[field]!;
    void state.fields[field]!.remove(without(before, rows)).catch(() => {});
    state.fieldRows[field] = rows;
    before.dispose();
  }
  const before = state.live;
  for (const row of without(before, live)) state.ids.delete(row);
  state.live = live;
  before.dispose();
  state.version = version;
  state.nextRow = nextRow;
  state.replacements++;
  state.stamp++;
}

/**
 * Rows are said to be there while they are taken in; afterwards those that are. False where some
 * were written anew before their vectors were read.
 */
async function takeVectors(
  state: CollectionState,
  field: number,
  missing: Uint32Array,
  filler: Filler,
  options: RunOptions,
): Promise<boolean> {
  const target = state.fields[field]!;
  state.fieldRows[field]!.addMany(missing);
  try {
    await filler.take(
      missing.filter((row) => !target.has(row)),
      options,
    );
  } finally {
    // The next look finds the others missing again.
    missing = missing.filter((row) => !target.has(row));
    for (const row of missing) state.fieldRows[field]!.remove(row);
  }
  return missing.length === 0;
}

/** The rows of one set that are not in another, ascending. */
function without(rows: Bitmap, others: Bitmap): Uint32Array {
  const rest = rows.andNot(others);
  const list = rest.toUint32Array();
  rest.dispose();
  return list;
}

/** Lists the store; ids of new rows are noted at once. */
async function compare(
  state: CollectionState,
  stored: StoredCollection,
  knownVersion: number,
  { signal }: RunOptions,
): Promise<Difference> {
  // What is committed while the rows are listed has a later version, and is looked at again.
  const { version, nextRow } = await stored.state();
  const found: Difference = {
    live: Bitmap.empty(),
    fieldRows: state.fields.map(() => Bitmap.empty()),
    fresh: [],
    changed: [],
    version,
    nextRow,
  };
  const late = new Map<PointId, number>();
  let after = -1;
  for (;;) {
    throwIfAborted(signal);
    const { rows, versions, fields, ids } = await stored.list(after, ROWS_PER_LIST);
    found.live.addMany(rows);
    found.fieldRows.forEach((of, field) => {
      of.addMany(rows.filter((_, i) => ((fields[i]! >>> field) & 1) === 1));
    });
    rows.forEach((row, i) => {
      state.ids.set(row, ids[i]!);
      if (row >= state.nextRow) found.fresh.push(row);
      else if (versions[i]! > knownVersion) found.changed.push(row);
      if (row >= nextRow) late.set(ids[i]!, row);
    });
    if (rows.length > 0) after = rows.at(-1)!;
    if (rows.length < ROWS_PER_LIST) break;
  }
  found.nextRow = Math.max(nextRow, after + 1);
  if (late.size > 0) leaveOutReplaced(state, found, late);
  return found;
}

/** A point that was written anew while the rows were listed may have been listed twice. */
function leaveOutReplaced(
  { ids }: CollectionState,
  { live, fieldRows }: Difference,
  late: ReadonlyMap<PointId, number>,
): void {
  for (const row of live.toUint32Array()) {
    if (row >= (late.get(ids.get(row)!) ?? 0)) continue;
    for (const rows of [live, ...fieldRows]) rows.remove(row);
  }
}

async function indexPayloads(
  { indexes }: CollectionState,
  stored: StoredCollection,
  { fresh, changed }: Difference,
  options: RunOptions,
): Promise<void> {
  if (indexes.schemas.size === 0) return;
  if (changed.length > 0) {
    const rows = Bitmap.from(Uint32Array.from(changed));
    await runSteps(indexes.forgetting(rows));
    rows.dispose();
  }
  await addPayloads(indexes, stored, Uint32Array.from([...changed, ...fresh]), options);
}

/** Reads the payloads of rows and puts them into indexes. */
export async function addPayloads(
  indexes: PayloadIndexes,
  stored: StoredCollection,
  rows: Uint32Array,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  for (let from = 0; from < rows.length; from += PAYLOADS_PER_READ) {
    throwIfAborted(signal);
    const some = rows.subarray(from, from + PAYLOADS_PER_READ);
    const points = await stored.read({ rows: some }, { payload: true, fields: [] });
    for (const { row, payload } of points) indexes.add(row, parsePayload(payload ?? null));
    onProgress?.({ phase: 'load', done: from + some.length, total: rows.length });
  }
}
