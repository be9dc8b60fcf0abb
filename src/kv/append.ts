import type { Steps } from '../base/steps.js';
import { basisBytes } from './basis.js';
import { refreshSteps } from './refresh.js';
import type { CacheParts } from './save-cache.js';
import {
  codeTokensSteps,
  type FillRow,
  fillFrom,
  type KvSegment,
  segmentBytes,
  unusualTokens,
  withExact,
} from './segment.js';
import type { KvRows } from './shape.js';
import { floatsOf, TILE } from './stream.js';

/** A basis that misses no more of the energy than this is never refreshed. */
const MISSED_LEAST = 0.02;
/** Bytes of new bases against those of all tokens, at the most. */
const BASIS_SHARE_MAX = 0.5;

/**
 * A cache with tokens behind its own: but for the most recent ones they are coded, in whole tiles.
 */
export function* appendSteps(parts: CacheParts, rows: KvRows): Steps<CacheParts> {
  const last = parts.segments.at(-1)!;
  const bases = last.streams.map(({ basis }) => basis);
  const behind = parts.tokens - last.from - last.coded;
  const all = new Set(Array.from({ length: rows.tokens }, (_, token) => behind + token));
  const fill = fillFrom(rows, bases);
  const segment = withExact(
    last,
    bases.map(() => all),
    (stream, token, row) => fill(stream, token - behind, row),
  );
  yield;
  const segments = [...parts.segments.slice(0, -1), segment];
  return yield* codeOldSteps({ ...parts, segments, tokens: parts.tokens + rows.tokens });
}

/** With codes for the exact tokens that are not recent any more. */
function* codeOldSteps(parts: CacheParts): Steps<CacheParts> {
  const before = parts.segments.at(-1)!;
  const waiting = parts.tokens - before.from - before.coded;
  if (waiting < parts.recent + TILE) return parts;
  const parted = isRefreshDue(parts, before) ? yield* refreshSteps(before) : [before];
  const segment = parted.at(-1)!;
  const end = parts.tokens - segment.from - parts.recent;
  const count = end - (end % TILE) - segment.coded;
  if (count <= 0) return parts;
  const coded = yield* codeExactSteps(segment, count, parts.options.sinks);
  return { ...parts, segments: [...parts.segments.slice(0, -1), ...parted.slice(0, -1), coded] };
}

/** With codes for the first `count` tokens that have none, all but unusual ones and sinks. */
function* codeExactSteps(segment: KvSegment, count: number, sinks: number): Steps<KvSegment> {
  const from = segment.coded;
  const rowAt: FillRow = (stream, token, row) => {
    row.set(floatsOf(segment.streams[stream]!.exact.get(from + token)!));
  };
  const firsts = Math.min(count, Math.max(0, sinks - segment.from - from));
  const kept: Set<number>[] = [];
  for (const [i, { basis }] of segment.streams.entries()) {
    const unusual = yield* unusualTokens(basis, count, (token, row) => rowAt(i, token, row));
    kept.push(new Set([...Array(firsts).keys(), ...unusual]));
  }
  const coded = yield* codeTokensSteps(segment, count, kept, rowAt);
  const streams = coded.streams.map((stream, i) => {
    const isKept = (position: number) => position >= coded.coded || kept[i]!.has(position - from);
    const exact = [...stream.exact].filter(([position]) => position < from || isKept(position));
    return { ...stream, exact: new Map(exact) };
  });
  return { ...coded, streams };
}

/** Whether the bases miss too much, and new ones are a small part of the cache. */
function isRefreshDue({ refresh, segments }: CacheParts, { missed, streams }: KvSegment): boolean {
  if (missed === undefined) return false;
  if (missed.last <= refresh * Math.max(MISSED_LEAST, missed.first)) return false;
  const basis = streams.reduce((sum, of) => sum + basisBytes(of.basis, of.widths.length), 0);
  const tokens = segments.reduce((sum, segment) => sum + segmentBytes(segment).tokens, 0);
  return basis <= BASIS_SHARE_MAX * tokens;
}
