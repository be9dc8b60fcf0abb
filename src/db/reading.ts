import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { checkPointId, keyOfId, type PointId } from '../base/point-id.js';
import { checkSignal, throwIfAborted } from '../base/steps.js';
import { FacetRanking } from '../filter/facet.js';
import { parseFilter } from '../filter/parse.js';
import { parsePath, pathText, valuesAt } from '../filter/path.js';
import type { Filter } from '../filter/types.js';
import { checkIdList } from './points.js';
import { runQuery } from './query.js';
import { TRIES_MAX } from './search.js';
import { checkCounts, type SearchContext } from './search-plan.js';
import { readSelection, type Selected, toRecord } from './selection.js';
import { parsePayload } from './state.js';
import type { FacetCount, Page, Scroll, Selection, StoredRecord } from './types.js';

const LIMIT = 10;
/** Fewer rows than this are brought into the order of their ids in memory. */
const SORTED_ROWS_MAX = 4096;
const ROWS_PER_PAGE = 4096;
const PAYLOADS_PER_READ = 1024;

/** The points with these ids, in this order; ids that are not there are left out. */
export async function retrievePoints(
  context: SearchContext,
  ids: readonly PointId[],
  selection: Selection,
): Promise<StoredRecord[]> {
  checkOptions('retrieve', selection, ['withPayload', 'withVector']);
  const wanted = checkIdList('ids', ids);
  return readRecords(context, { ids: wanted }, selected(context, selection));
}

function selected({ state }: SearchContext, selection: Selection): Selected {
  return readSelection(selection, state.configs);
}

async function readRecords(
  { state, stored }: SearchContext,
  target: { ids: readonly PointId[] } | { rows: Uint32Array },
  selection: Selected,
): Promise<StoredRecord[]> {
  const { payload, fields } = selection;
  const what = { payload: payload !== undefined, fields };
  const points = await stored.read(target, what);
  return points.map((point) => toRecord(point, selection, state.configs));
}

const SCROLL_OPTIONS = [
  'filter',
  'orderBy',
  'limit',
  'offset',
  'withPayload',
  'withVector',
  'signal',
];

/**
 * A page of points in the order of their ids (integers, then UUIDs, then other strings), or of a
 * payload field.
 */
export async function scrollPage(context: SearchContext, scroll: Scroll): Promise<Page> {
  checkOptions('scroll', scroll, SCROLL_OPTIONS);
  checkCounts(scroll, { limit: 1 });
  if (scroll.orderBy !== undefined) return orderedPage(context, scroll);
  const { filter, limit = LIMIT, offset } = scroll;
  const signal = checkSignal(scroll.signal);
  const selection = selected(context, scroll);
  const from = offset === undefined || offset === null ? undefined : checkPointId('offset', offset);
  const readPage = async () => {
    const { rows, isStale } = await rowsById(context, filter, from, limit + 1, signal);
    const found = await readRecords(context, { rows }, selection);
    return { found, isStale: isStale || found.length < rows.length };
  };
  // Points that were written anew before they were read are paged through again; where writes come
  // faster than that, they wait for it once.
  let page = await readPage();
  for (let tries = 2; page.isStale && tries <= TRIES_MAX; tries++) {
    await context.settled();
    page = await (tries < TRIES_MAX ? readPage() : context.quietly(readPage));
  }
  return { points: page.found.slice(0, limit), next: page.found[limit]?.id ?? null };
}

async function orderedPage(context: SearchContext, scroll: Scroll): Promise<Page> {
  const { orderBy, offset, ...rest } = scroll;
  if (offset !== undefined && offset !== null) {
    throw outOfRange('offset', 'absent with orderBy, which has startFrom', offset);
  }
  const hits = await runQuery(context, { ...rest, orderBy: orderBy! });
  return { points: hits.map(({ score: _, ...record }) => record), next: null };
}

/** Rows in the order of their ids. */
interface RowPage {
  rows: Uint32Array;
  /** Whether there were some that memory does not know of yet. */
  isStale: boolean;
}

/** Up to `count` matching rows in the order of their ids, from an id on. */
async function rowsById(
  context: SearchContext,
  filter: Filter | null | undefined,
  from: PointId | undefined,
  count: number,
  signal: AbortSignal | undefined,
): Promise<RowPage> {
  const { state, stored, filtering } = context;
  throwIfAborted(signal);
  const allowed = await filtering.rowsFor(filter, signal);
  if (allowed === undefined) return { rows: await stored.page(from, count), isStale: false };
  if (allowed.size <= SORTED_ROWS_MAX) {
    const rows = sortedById(context, allowed.toRows(), from).subarray(0, count);
    return { rows, isStale: allowed.replacements !== state.replacements };
  }
  const found: number[] = [];
  for (let at = from; ; ) {
    throwIfAborted(signal);
    const page = await stored.page(at, ROWS_PER_PAGE);
    const isMoved = allowed.replacements !== state.replacements;
    const isStale = isMoved || page.some((row) => !state.live.has(row));
    // Each page begins where the one before it ended.
    const seen = found.at(-1);
    for (const row of page) if (row !== seen && allowed.has(row)) found.push(row);
    const last = page.length < ROWS_PER_PAGE ? undefined : state.ids.get(page.at(-1)!);
    if (isStale || found.length >= count || last === undefined) {
      return { rows: Uint32Array.from(found).slice(0, count), isStale };
    }
    at = last;
  }
}

function sortedById({ state }: SearchContext, rows: Uint32Array, from: PointId | undefined) {
  const least = from === undefined ? undefined : keyOfId(from);
  const keyed = [...rows].flatMap((row) => {
    const id = state.idOf(row);
    const key = id === undefined ? undefined : keyOfId(id);
    const isWanted = key !== undefined && (least === undefined || Buffer.compare(key, least) >= 0);
    return isWanted ? [{ row, key }] : [];
  });
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  return Uint32Array.from(keyed, ({ row }) => row);
}

/** How many points match. */
export async function countPoints(
  { state, filtering }: SearchContext,
  filter: Filter | null | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  return (await filtering.rowsFor(filter, signal))?.size ?? state.count;
}

/** The most frequent values of a payload field, from its index or else from all payloads. */
export async function facetCounts(
  context: SearchContext,
  field: string,
  options: { filter?: Filter; limit?: number; signal?: AbortSignal },
): Promise<FacetCount[]> {
  const { state, stored, filtering } = context;
  checkOptions('facet', options, ['filter', 'limit', 'signal']);
  const limit = checkInteger('limit', options.limit ?? LIMIT, 1, 0x7fff_ffff);
  const path = parsePath('field', field);
  const signal = checkSignal(options.signal);
  const allowed = await filtering.rowsFor(options.filter, signal);
  const text = pathText(path);
  while (state.changing !== undefined) await state.changing;
  const rows = allowed?.toBitmap() ?? state.live.clone();
  try {
    // An index of integers knows nothing of a string among them.
    if (state.indexes.countsAllOf(text, rows)) return state.indexes.facet(text, rows, limit);
  } finally {
    rows.dispose();
  }
  const counts = new Map<string | number | boolean, number>();
  const all = allowed?.toRows() ?? state.live.toUint32Array();
  for (let at = 0; at < all.length; at += PAYLOADS_PER_READ) {
    throwIfAborted(signal);
    const some = all.subarray(at, at + PAYLOADS_PER_READ);
    const points = await stored.read({ rows: some }, { payload: true, fields: [] });
    for (const point of points) {
      const values = valuesAt(parsePayload(point.payload ?? null), path).filter(isCountable);
      for (const value of new Set(values)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const ranking = new FacetRanking(limit);
  for (const [value, count] of counts) ranking.add(value, count);
  return ranking.best();
}

/** Values that a facet counts: strings, integers and booleans. */
function isCountable(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value);
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for anything but ids or `{ filter }`. */
export function checkTarget(target: unknown): { ids: PointId[] } | { filter: Filter } {
  if (Array.isArray(target)) return { ids: checkIdList('ids', target) };
  if (typeof target !== 'object' || target === null) {
    throw wrongType('which points', 'an array of ids, or { filter }', target);
  }
  if (!('filter' in target)) {
    throw wrongType('which points', 'an array of ids, or { filter }', target);
  }
  checkOptions('which points', target, ['filter']);
  const { filter } = target as { filter?: Filter };
  if (filter === undefined || filter === null) {
    throw wrongType('which points', 'an array of ids, or { filter }', target);
  }
  parseFilter('filter', filter);
  // A copy: it is evaluated when its turn comes.
  return { filter: structuredClone(filter) };
}
