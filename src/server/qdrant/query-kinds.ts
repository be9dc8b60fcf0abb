import { outOfRange, wrongType } from '../../base/errors.js';
import type { Fusion, Mmr, OrderBy, QueryTarget, TextQuery } from '../../db/query-types.js';
import {
  type ByExamples,
  byRecommendation,
  readContext,
  readDiscover,
  readFeedback,
} from './by-examples.js';
import { type Formula, readFormula } from './formula.js';
import { readId } from './ids.js';
import { isGiven, isObject, type Members, membersOf, onlyMember } from './members.js';
import { type Recommend, readRecommend } from './recommend.js';
import { readVector } from './vectors.js';

/** What a query looks for, and whether its results are to differ. */
export type Asked =
  | { kind: 'target'; target: QueryTarget; mmr?: Mmr }
  | { kind: 'recommend'; recommend: Recommend }
  /** These are queries by themselves, no parts of others. */
  | { kind: 'examples'; by: ByExamples }
  | { kind: 'formula'; formula: Formula }
  | { kind: 'sample' };

/** Kinds of queries by the member that tells them, with the others that they may have. */
const KINDS: Readonly<Record<string, (what: string, given: Members) => Asked>> = {
  nearest: readNearestQuery,
  fusion: (what, given) => asTarget({ fusion: readFusion(what, given) }),
  rrf: (what, given) => asTarget({ fusion: readRrf(what, given) }),
  order_by: (what, given) =>
    asTarget({ orderBy: readOrderBy(`${what}.order_by`, onlyMember(what, given, 'order_by')) }),
  recommend: readRecommendation,
  discover: (what, given) => ({
    kind: 'examples',
    by: readDiscover(`${what}.discover`, onlyMember(what, given, 'discover')),
  }),
  context: (what, given) => ({
    kind: 'examples',
    by: readContext(`${what}.context`, onlyMember(what, given, 'context')),
  }),
  relevance_feedback: (what, given) => ({
    kind: 'examples',
    by: readFeedback(`${what}.relevance_feedback`, onlyMember(what, given, 'relevance_feedback')),
  }),
  formula: (what, given) => ({ kind: 'formula', formula: readFormula(what, given) }),
  sample: (what, given) => {
    const sample = onlyMember(what, given, 'sample');
    if (sample !== 'random') throw outOfRange(`${what}.sample`, 'random', sample);
    return { kind: 'sample' };
  },
  text: readWords,
};

const asTarget = (target: QueryTarget): Asked => ({ kind: 'target', target });

/** The mean of examples is one vector to look for, other strategies look at all vectors. */
function readRecommendation(what: string, given: Members): Asked {
  const recommend = readRecommend(`${what}.recommend`, examplesOf(what, given));
  if (recommend.strategy === 'average_vector') return { kind: 'recommend', recommend };
  return { kind: 'examples', by: byRecommendation(recommend) };
}

/** What a request looks for; undefined where it does not say. */
export function readQuery(what: string, given: unknown): Asked | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isObject(given)) return asTarget(readNearest(what, given));
  const names = Object.keys(given).filter((name) => given[name] !== null);
  const kind = names.find((name) => Object.hasOwn(KINDS, name));
  const isOfModel = names.includes('model');
  if (kind === undefined || isOfModel) return asTarget({ vector: readVector(what, given) });
  return KINDS[kind]!(what, given);
}

function readNearestQuery(what: string, given: Members): Asked {
  const { nearest, mmr } = membersOf(what, given, ['nearest', 'mmr']);
  const target = readNearest(`${what}.nearest`, nearest);
  return { kind: 'target', target, ...(isGiven(mmr) && { mmr: readMmr(`${what}.mmr`, mmr) }) };
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
  return asTarget({ text: membersOf(`${what}.text`, text, known) as unknown as TextQuery });
}

/** Of what a search looks for: a vector, or the id of a point. */
function readNearest(what: string, given: unknown): QueryTarget {
  const isId = ['number', 'bigint', 'string'].includes(typeof given);
  if (isId) return { id: readId(what, given) };
  if (!isGiven(given)) throw wrongType(what, 'a vector or an id', given);
  return { vector: readVector(what, given) };
}
