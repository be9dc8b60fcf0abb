import { createHash } from 'node:crypto';
import { bytesOf } from '../../datasets/elements.js';
import { generateTopics } from '../../datasets/generate/topics.js';
import { loadTokenSet, type TokenSet, type TokenTexts } from '../../datasets/token-set.js';
import { LeandexError } from '../../src/base/errors.js';
import { type EndToEndPlan, measureEndToEnd } from '../multi/end-to-end.js';
import { scoreAll } from '../multi/exact.js';
import type { MultiTaskResult } from './result.js';
import type { MultiTask } from './suite.js';

const DIMENSIONS = 128;

/**
 * Quality and speed of an index of documents of several vectors, beside the exhaustive ranking.
 * @throws LeandexError `NOT_FOUND` for absent documents.
 */
export async function runMulti(task: MultiTask): Promise<MultiTaskResult> {
  const set = firstQueries(documentsOf(task), task.queries);
  const plan: EndToEndPlan = {
    exhaustive: [32, 8],
    sizes: { 8: [1280] },
    candidates: task.candidates,
    rounds: 3,
  };
  const figures = await measureEndToEnd(set, scoreAll(set), () => {}, plan);
  return {
    ...{ kind: 'multi', name: task.name, task, figures },
    documents: set.corpus.ids.length,
    tokens: set.corpus.offsets.at(-1)!,
    queries: set.queries.ids.length,
    sha256: hashOf(set.corpus, set.queries),
  };
}

function documentsOf({ documents, queries, seed }: MultiTask): TokenSet {
  if (typeof documents === 'number') {
    return generateTopics({ count: documents, queries, dimensions: DIMENSIONS, seed });
  }
  const set = loadTokenSet();
  if (documents === 'climate-fever-tokens128' && set !== undefined) return set;
  throw new LeandexError('NOT_FOUND', `the data set ${documents} is absent`);
}

function firstQueries(set: TokenSet, most: number): TokenSet {
  const { ids, tokens, offsets } = set.queries;
  if (ids.length <= most) return set;
  const end = offsets[most]! * set.dimensions;
  const queries = {
    ids: ids.slice(0, most),
    tokens: tokens.subarray(0, end),
    offsets: offsets.slice(0, most + 1),
  };
  const asked = new Set(queries.ids);
  const qrels = new Map([...set.qrels].filter(([id]) => asked.has(id)));
  return { ...set, queries, qrels };
}

/** SHA-256 of the tokens and of where each text begins. */
function hashOf(...texts: readonly TokenTexts[]): string {
  const hash = createHash('sha256');
  for (const { tokens, offsets } of texts) hash.update(bytesOf(tokens)).update(bytesOf(offsets));
  return hash.digest('hex');
}
