import { Random } from '../../src/base/random.js';
import type { TokenSet, TokenTexts } from '../token-set.js';
import { checkCommon } from './options.js';
import { makeRows } from './rows.js';

export type TopicOptions = {
  /** Documents, and queries. */
  readonly count: number;
  readonly queries: number;
  readonly dimensions: number;
  readonly seed: number;
};

/** Directions that topics have; a document has 1 … TOPICS_MAX of them, its tokens one each. */
const TOPICS = 2000;
const TOPICS_MAX = 4;
const TOKENS = { least: 16, most: 48 };
const QUERY_TOKENS = 16;
/** Length of the noise beside that of the topic: tokens of a topic have a cosine of about .5. */
const TOKEN_NOISE = 1;
const QUERY_NOISE = 0.6;

/**
 * Documents on several topics each, as tokens of unit length: each token is its topic's direction with
 * noise. A query is on two topics of one document at the most, and near some of its tokens. The same
 * options, the same tokens.
 */
export function generateTopics(options: TopicOptions): TokenSet {
  checkCommon(options);
  const { count, queries: queryCount, dimensions, seed } = options;
  const random = new Random(seed);
  const gaussian = (row: Float64Array) => {
    for (let i = 0; i < dimensions; i++) row[i] = random.gaussian();
  };
  const topics = makeRows(TOPICS, dimensions, true, gaussian);
  const scale = 1 / Math.sqrt(dimensions);
  const near = (base: Float32Array, at: number, noise: number) => (row: Float64Array) => {
    for (let i = 0; i < dimensions; i++) {
      row[i] = base[at * dimensions + i]! + noise * scale * random.gaussian();
    }
  };
  const texts = (size: number, name: string, lengths: Uint32Array): TokenTexts => {
    const offsets = new Uint32Array(size + 1);
    for (let i = 0; i < size; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
    const tokens = new Float32Array(offsets[size]! * dimensions);
    const ids = Array.from({ length: size }, (_, i) => `${name}${i}`);
    return { ids, tokens, offsets };
  };
  const span = TOKENS.most - TOKENS.least + 1;
  const lengths = Uint32Array.from({ length: count }, () => TOKENS.least + random.below(span));
  const corpus = texts(count, 'd', lengths);
  const topicOf = new Uint32Array(corpus.offsets[count]!);
  for (let d = 0; d < count; d++) {
    const own = Array.from({ length: 1 + random.below(TOPICS_MAX) }, () => random.below(TOPICS));
    for (let t = corpus.offsets[d]!; t < corpus.offsets[d + 1]!; t++) {
      topicOf[t] = own[random.below(own.length)]!;
      const token = makeRows(1, dimensions, true, near(topics, topicOf[t]!, TOKEN_NOISE));
      corpus.tokens.set(token, t * dimensions);
    }
  }
  const queries = texts(queryCount, 'q', new Uint32Array(queryCount).fill(QUERY_TOKENS));
  for (let q = 0; q < queryCount; q++) {
    const d = random.below(count);
    const [first, end] = [corpus.offsets[d]!, corpus.offsets[d + 1]!];
    const wanted = new Set([0, 1].map(() => topicOf[first + random.below(end - first)]));
    const sources = Array.from({ length: end - first }, (_, i) => first + i).filter((t) =>
      wanted.has(topicOf[t]!),
    );
    for (let t = 0; t < QUERY_TOKENS; t++) {
      const source = sources[random.below(sources.length)]!;
      const token = makeRows(1, dimensions, true, near(corpus.tokens, source, QUERY_NOISE));
      queries.tokens.set(token, (q * QUERY_TOKENS + t) * dimensions);
    }
  }
  return { dimensions, corpus, queries, qrels: new Map() };
}
