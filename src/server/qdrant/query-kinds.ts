import { outOfRange, wrongType } from '../../base/errors.js';
import type { Fusion, Mmr, OrderBy, QueryTarget, TextQuery } from '../../db/query-types.js';
import { unsupported } from '../errors.js';
import { readId } from './ids.js';
import { type Recommend, readRecommend } from './recommend.js';
import { readVector } from './vectors.js';

/** What a query looks for, and whether its results are to differ. */
export type Asked =
  | { target: QueryTarget; mmr?: Mmr; recommend?: undefined }
  | { target?: undefined; mmr?: undefined; recommend: Recommend };

type Members = Record<string, unknown>;

/** Kinds of queries that leandex does not have. */
const UNSUPPORTED = ['discover', 'context', 'formula', 'sample', 'relevance_feedback'] as const;

/** Kinds of queries by the member that tells them, with the others that they may have. */
const KINDS: Readonly<Record<string, (what: string, given: Members) => Asked>> = {
  nearest: readNearestQuery,
  fusion: (what, given) => ({ target: { fusion: readFusion(what, given) } }),
  rrf: (what, given) => ({ target: { fusion: readRrf(what, given) } }),
  order_by: (what, given) => ({
    target: { orderBy: readOrderBy(`${what}.order_by`, onlyMember(what, given, 'order_by')) },
  }),
  recommend: (what, given) => ({
    recommend: readRecommend(`${what}.recommend`, examplesOf(what, given)),
  }),
  text: readWords,
};

/** What a request looks for; undefined where it does not say. */
export function readQuery(what: string, given: unknown): Asked | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isObject(given)) return { target: readNearest(what, given) };
  const names = Object.keys(given).filter((name) => given[name] !== null);
  const refused = UNSUPPORTED.find((name) => names.includes(name));
  if (refused !== undefined) throw unsupported(`${what}.${refused}`, 'there are no such queries');
  const kind = names.find((name) => Object.hasOwn(KINDS, name));
  const isOfModel = names.includes('model');
  if (kind === undefined || isOfModel) return { target: { vector: readVector(what, given) } };
  return KINDS[kind]!(what, given);
}

function readNearestQuery(what: string, given: Members): Asked {
  const { nearest, mmr } = membersOf(what, given, ['nearest', 'mmr']);
  const target = readNearest(`${what}.nearest`, nearest);
  return isGiven(mmr) ? { target, mmr: readMmr(`${what}.mmr`, mmr) } : { target };
}

function readMmr(what: string, given: unknown): Mmr {
  const { diversity, candidates_limit } = membersOf(what, given, ['diversity', 'candidates_limit']);
  return {
    ...(isGiven(diversity) && { diversity: diversity as number }),
    ...(isGiven(candidates_limit) && { candidates: candidates_limit as number }),
  };
}

function readFusion(what: string, given: Members): Fusion {
  const fusion = onlyMember(what, given, 'fusion');
  if (fusion === 'rrf' || fusion === 'dbsf') return fusion;
  throw outOfRange(`${what}.fusion`, 'rrf or dbsf', fusion);
}

function readRrf(what: string, given: Members): Fusion {
  const rrf = onlyMember(what, given, 'rrf');
  const { k, weights } = membersOf(`${what}.rrf`, rrf, ['k', 'weights']);
  return {
    rrf: {
      ...(isGiven(k) && { k: k as number }),
      ...(isGiven(weights) && { weights: weights as number[] }),
    },
  };
}

function examplesOf(what: string, given: Members): Members {
  const recommend = onlyMember(what, given, 'recommend');
  return membersOf(`${what}.recommend`, recommend, ['positive', 'negative', 'strategy']);
}

/** The order of a payload field: its key, or with a direction and a first value. */
export function readOrderBy(what: string, given: unknown): OrderBy {
  if (typeof given === 'string') return given;
  const { key, direction, start_from } = membersOf(what, given, ['key', 'direction', 'start_from']);
  return {
    field: key as string,
    ...(isGiven(direction) && { direction: direction as 'asc' }),
    ...(isGiven(start_from) && { startFrom: start_from as number }),
  };
}

/** leandex's own: words in the texts of a field, by BM25. Qdrant has no query of this form. */
function readWords(what: string, given: Members): Asked {
  const text = onlyMember(what, given, 'text');
  const known = ['field', 'match', 'operator', 'prefix'];
  return { target: { text: membersOf(`${what}.text`, text, known) as unknown as TextQuery } };
}

/** Of what a search looks for: a vector, or the id of a point. */
function readNearest(what: string, given: unknown): QueryTarget {
  const isId = ['number', 'bigint', 'string'].includes(typeof given);
  if (isId) return { id: readId(what, given) };
  if (!isGiven(given)) throw wrongType(what, 'a vector or an id', given);
  return { vector: readVector(what, given) };
}

function onlyMember(what: string, given: Members, name: string): unknown {
  return membersOf(what, given, [name])[name];
}

/** The members that are not null. @throws unless it is an object of these */
function membersOf(what: string, given: unknown, known: readonly string[]): Members {
  if (!isObject(given)) throw wrongType(what, 'an object', given);
  const members = Object.entries(given).filter(([, value]) => isGiven(value));
  const other = members.find(([name]) => !known.includes(name));
  if (other !== undefined) throw outOfRange(`a member of ${what}`, known.join(', '), other[0]);
  return Object.fromEntries(members);
}

const isGiven = (value: unknown) => value !== undefined && value !== null;

function isObject(value: unknown): value is Members {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}
