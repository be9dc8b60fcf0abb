import { type AtRecall, overLevels } from './frontier.js';

/** What a ratio needs to know of a contender. */
export interface Comparable {
  readonly engine: string;
  readonly buildSeconds: number;
  readonly buildThreads: number;
  readonly bytesPerVector: { readonly total: number };
  readonly atRecall: AtRecall;
}

/** Engines that are one opponent together: at every level the best of all their contenders. */
export interface Side {
  readonly name: string;
  readonly engines: readonly string[];
}

/** Whom leandex is compared with. */
export const SIDES: readonly Side[] = [
  { name: 'hnswlib-node', engines: ['hnswlib-node'] },
  { name: 'usearch, zvec', engines: ['usearch', 'zvec'] },
];

/** A contender against one side; above 1 means that the contender is better. */
export interface Ratio {
  /** Places in the list of contenders. */
  readonly contender: number;
  readonly opponent: string;
  /** Queries/s against those of the opponent's best setting at that recall; null if not reached. */
  readonly qps: AtRecall;
  /**
   * Seconds that the opponent's fastest build takes, as a multiple of the contender's. Here and for
   * memory only indexes that reach recall@10 .95 count, where any of the opponent's does: null where
   * the contender then does not.
   */
  readonly build: number | null;
  /** Threads of these builds, ours and theirs: not every engine can use all. */
  readonly buildThreads: readonly [ours: number, theirs: number];
  /** Bytes a vector of the opponent's smallest index, as a multiple of the contender's; null as for `build`. */
  readonly memory: number | null;
}

/** Every contender of the engine `ours` against every side that takes part. */
export function ratios(
  contenders: readonly Comparable[],
  ours: string,
  sides: readonly Side[] = SIDES,
): Ratio[] {
  return contenders.flatMap((contender, index) => {
    if (contender.engine !== ours) return [];
    return sides.flatMap(({ name, engines }) => {
      const theirs = contenders.filter(({ engine }) => engines.includes(engine));
      return theirs.length === 0 ? [] : [ratioAgainst(contender, index, name, theirs)];
    });
  });
}

function ratioAgainst(
  contender: Comparable,
  index: number,
  opponent: string,
  theirs: readonly Comparable[],
): Ratio {
  const good = theirs.filter(({ atRecall }) => atRecall['0.95'] !== null);
  const able = good.length > 0 ? good : theirs;
  const fastest = able.reduce((best, each) =>
    each.buildSeconds < best.buildSeconds ? each : best,
  );
  const counts = good.length === 0 || contender.atRecall['0.95'] !== null;
  const smallest = Math.min(...able.map(({ bytesPerVector }) => bytesPerVector.total));
  return {
    contender: index,
    opponent,
    qps: overLevels((level) => {
      const mine = contender.atRecall[level];
      const best = Math.max(...theirs.map(({ atRecall }) => atRecall[level] ?? 0));
      return mine === null || best === 0 ? null : mine / best;
    }),
    build: counts ? fastest.buildSeconds / contender.buildSeconds : null,
    buildThreads: [contender.buildThreads, fastest.buildThreads],
    memory: counts ? smallest / contender.bytesPerVector.total : null,
  };
}
