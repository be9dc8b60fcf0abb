import { checkOptions } from '../base/check.js';
import { type Path, parsePath, valuesAt } from '../filter/path.js';
import { candidatesFor } from './mmr.js';
import { runQuery } from './query.js';
import type { GroupQuery } from './query-types.js';
import { COUNT_MAX, checkCounts, SEARCH_OPTIONS, type SearchContext } from './search-plan.js';
import { readSelection, type Selected } from './selection.js';
import type { Group, Hit } from './types.js';

const GROUP_OPTIONS = [
  ...SEARCH_OPTIONS,
  'groupBy',
  'limit',
  'groupSize',
  'withPayload',
  'withVector',
];
const LIMIT = 10;
const GROUP_SIZE = 3;
/** Results looked at for each place in a group, at first. */
const DEPTH = 4;

/**
 * The groups of the best points: points that share a string or an integer at `groupBy`, the groups in
 * the order of their best points. A point with several values is in several groups; one without is in
 * none. It looks further until all groups are full or nothing is left to look at.
 */
export async function runGroups(context: SearchContext, query: GroupQuery): Promise<Group[]> {
  checkOptions('queryGroups', query, GROUP_OPTIONS);
  checkCounts(query, { limit: 1, groupSize: 1 });
  const { groupBy, limit = LIMIT, groupSize = GROUP_SIZE, ...search } = query;
  const path = parsePath('groupBy', groupBy);
  const { payload } = readSelection(query, context.state.configs);
  const first = DEPTH * limit * groupSize;
  // Looking further does not make diverse results out of more and more candidates.
  const { mmr } = search;
  if (typeof mmr === 'object' && mmr !== null)
    search.mmr = { candidates: candidatesFor(first), ...mmr };
  for (let depth = Math.min(COUNT_MAX, first); ; depth = Math.min(COUNT_MAX, 4 * depth)) {
    // The whole payload is needed to tell the groups apart.
    const hits = await runQuery(context, { ...search, limit: depth, withPayload: true });
    const groups = toGroups(hits, path, limit, groupSize);
    const isFull =
      groups.length === limit && groups.every((group) => group.hits.length === groupSize);
    if (!isFull && hits.length >= depth) continue;
    return groups.map(({ id, hits }) => ({ id, hits: hits.map((hit) => narrow(hit, payload)) }));
  }
}

function narrow(hit: Hit, select: Selected['payload']): Hit {
  const { payload, ...rest } = hit;
  return select === undefined ? rest : { ...rest, payload: select(payload ?? null) };
}

function toGroups(hits: readonly Hit[], path: Path, limit: number, groupSize: number): Group[] {
  const groups = new Map<string | number, Group>();
  for (const hit of hits) {
    for (const id of new Set(valuesAt(hit.payload ?? null, path).filter(isGroupId))) {
      let group = groups.get(id);
      if (group === undefined) {
        if (groups.size === limit) continue;
        group = { id, hits: [] };
        groups.set(id, group);
      }
      if (group.hits.length < groupSize) group.hits.push(hit);
    }
  }
  return [...groups.values()];
}

function isGroupId(value: unknown): value is string | number {
  return typeof value === 'string' || Number.isInteger(value);
}
