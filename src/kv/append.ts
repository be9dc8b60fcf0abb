import type { Steps } from '../base/steps.js';
import { basisBytes } from './basis.js';
import { refreshSteps } from './refresh.js';
import type { CacheParts } from './save-cache.js';
import {
  codeTokensSteps,
  type FillRow,
  fillFrom,
  type KvSegment,
  keepExact,
  segmentBytes,
  unusualTokens,
} from './segment.js';
import type { KvRows } from './shape.js';
import { floatsOf, TILE } from './stream.js';

/** A basis that misses no more of the energy than this is never refreshed. */
const MISSED_LEAST = 0.02;
/** Bytes of new bases against those of all tokens, at the most. */
const BASIS_SHARE_MAX = 0.5;

/**
 * Puts tokens behind those of a cache: at first exact, then, but for the most recent ones, coded. The
 * tokens are there before the first pause.
 */
export function* appendSteps(parts: CacheParts, rows: KvRows): Steps<void> {
  const segment = parts.segments.at(-1)!;
  const bases = segment.streams.map(({ basis }) => basis);
  const behind = parts.tokens - segment.from - segment.coded;
  const all = new Set(Array.from({ length: rows.tokens }, (_, token) => behind + token));
  const fill = fillFrom(rows, bases);
  keepExact(
    segment,
    bases.map(() => all),
    (stream, token, row) => fill(stream, token - behind, row),
  );
  parts.tokens += rows.tokens;
  yield;
  yield* codeOldSteps(parts);
}

/** Codes the exact tokens that are not recent any more, in whole tiles. */
function* codeOldSteps(parts: CacheParts): Steps<void> {
  const before = parts.segments.at(-1)!;
  const waiting = parts.tokens - before.from - before.coded;
  if (waiting < parts.recent + TILE) return;
  const segment = isRefreshDue(parts, before) ? yield* refreshSteps(parts, before) : before;
  const end = parts.tokens - segment.from - parts.recent;
  const from = segment.coded;
  const count = end - (end % TILE) - from;
  if (count <= 0) return;
  const rowAt: FillRow = (stream, token, row) => {
    row.set(floatsOf(segment.streams[stream]!.exact.get(from + token)!));
  };
  const kept: Set<number>[] = [];
  for (const [i, { basis }] of segment.streams.entries()) {
    const unusual = yield* unusualTokens(basis, count, (token, row) => rowAt(i, token, row));
    const sinks = Math.max(0, parts.options.sinks - segment.from - from);
    kept.push(new Set([...Array(Math.min(sinks, count)).keys(), ...unusual]));
  }
  yield* codeTokensSteps(segment, count, kept, rowAt);
  for (const [i, { exact }] of segment.streams.entries()) {
    for (let token = 0; token < count; token++) {
      if (!kept[i]!.has(token)) exact.delete(from + token);
    }
  }
}

/** Whether the bases miss too much, and new ones are a small part of the cache. */
function isRefreshDue({ refresh, segments }: CacheParts, { missed, streams }: KvSegment): boolean {
  if (missed === undefined) return false;
  if (missed.last <= refresh * Math.max(MISSED_LEAST, missed.first)) return false;
  const basis = streams.reduce((sum, of) => sum + basisBytes(of.basis, of.widths.length), 0);
  const tokens = segments.reduce((sum, segment) => sum + segmentBytes(segment).tokens, 0);
  return basis <= BASIS_SHARE_MAX * tokens;
}
