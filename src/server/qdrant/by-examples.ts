import { wrongType } from '../../base/errors.js';
import { refused } from '../errors.js';
import { type Example, readExample } from './examples.js';
import { isGiven, type Members, membersOf } from './members.js';
import type { Recommend } from './recommend.js';

/** A query whose scores are of similarities with examples. */
export interface ByExamples {
  examples: readonly Example[];
  /** The score of a point by its similarities with the examples, in their order. */
  score: (similarities: readonly number[]) => number;
}

/** The margin of Qdrant's loss: epsilon of float32. */
const MARGIN = 2 ** -23;

const sigmoid = (x: number) => x / (1 + Math.abs(x));
/** In 0 … 1, so that whole numbers can be added without a change of order. */
const scaledSigmoid = (x: number) => (sigmoid(x) + 1) / 2;

/** The strategies of recommendations that are not by one vector. */
export function byRecommendation({ positive, negative, strategy }: Recommend): ByExamples {
  const examples = [...positive, ...negative];
  const parts = (similarities: readonly number[]) =>
    [similarities.slice(0, positive.length), similarities.slice(positive.length)] as const;
  if (strategy === 'sum_scores') {
    const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0);
    const score = (similarities: readonly number[]) => {
      const [liked, disliked] = parts(similarities);
      return sum(liked) - sum(disliked);
    };
    return { examples, score };
  }
  const score = (similarities: readonly number[]) => {
    const [liked, disliked] = parts(similarities);
    const [like, dislike] = [Math.max(...liked), Math.max(...disliked)];
    return like > dislike ? scaledSigmoid(like) : -scaledSigmoid(dislike);
  };
  return { examples, score };
}

/** On how many of the pairs' right sides a point is; among those with the same number the nearest to the target. */
export function readDiscover(what: string, given: unknown): ByExamples {
  const { target, context } = membersOf(what, given, ['target', 'context']);
  const pairs = readPairs(`${what}.context`, context);
  return {
    examples: [readExample(`${what}.target`, target), ...pairs],
    score: ([toTarget, ...others]) => {
      let rank = 0;
      forPairs(others, (liked, disliked) => {
        rank += Math.sign(liked - disliked);
      });
      return rank + scaledSigmoid(toTarget!);
    },
  };
}

/** How far a point is on the wrong sides of pairs: 0 where on none, else less. */
export function readContext(what: string, given: unknown): ByExamples {
  const examples = readPairs(what, given);
  return {
    examples,
    score: (similarities) => {
      let score = 0;
      forPairs(similarities, (liked, disliked) => {
        score += sigmoid(Math.min(liked - disliked - MARGIN, 0));
      });
      return score;
    },
  };
}

function forPairs(list: readonly number[], visit: (liked: number, disliked: number) => void) {
  for (let i = 0; i + 1 < list.length; i += 2) visit(list[i]!, list[i + 1]!);
}

function readPairs(what: string, given: unknown): Example[] {
  if (!isGiven(given)) return [];
  const list = Array.isArray(given) ? given : [given];
  return list.flatMap((pair: unknown, i) => {
    const place = `${what}[${i}]`;
    const { positive, negative } = membersOf(place, pair, ['positive', 'negative']);
    return [readExample(`${place}.positive`, positive), readExample(`${place}.negative`, negative)];
  });
}

/** A target, moved by what another model said of some points: Qdrant's naive strategy. */
export function readFeedback(what: string, given: unknown): ByExamples {
  const { target, feedback, strategy } = membersOf(what, given, ['target', 'feedback', 'strategy']);
  const { naive } = membersOf(`${what}.strategy`, strategy, ['naive']);
  const place = `${what}.strategy.naive`;
  const { a, b, c } = numbersOf(place, membersOf(place, naive, ['a', 'b', 'c']), ['a', 'b', 'c']);
  if (b! < 0) {
    const problem = `value ${b!.toFixed(1)} invalid, must be 0.0 or larger`;
    throw refused(422, `Validation error in JSON body: [internal.${place}.b: ${problem}]`);
  }
  if (!Array.isArray(feedback)) throw wrongType(`${what}.feedback`, 'a list', feedback);
  if (feedback.length === 0) {
    throw refused(
      422,
      `Validation error in JSON body: ${what}: feedback elements must be non-empty`,
    );
  }
  const items = feedback.map((item: unknown, i) => {
    const place = `${what}.feedback[${i}]`;
    const members = membersOf(place, item, ['example', 'score']);
    const { score } = numbersOf(place, members, ['score']);
    return { example: readExample(`${place}.example`, members.example), score: score! };
  });
  const pairs = items.flatMap((liked, i) =>
    items.flatMap((disliked, j) => {
      const confidence = liked.score - disliked.score;
      return confidence > 0 ? [{ i: i + 1, j: j + 1, weight: confidence ** b! * c! }] : [];
    }),
  );
  return {
    examples: [readExample(`${what}.target`, target), ...items.map(({ example }) => example)],
    score: (similarities) =>
      pairs.reduce(
        (sum, { i, j, weight }) => sum + weight * (similarities[i]! - similarities[j]!),
        a! * similarities[0]!,
      ),
  };
}

function numbersOf(what: string, given: Members, names: readonly string[]): Record<string, number> {
  const read = names.map((name) => {
    const value = given[name];
    if (typeof value !== 'number') throw wrongType(`${what}.${name}`, 'a number', value);
    return [name, value] as const;
  });
  return Object.fromEntries(read);
}
