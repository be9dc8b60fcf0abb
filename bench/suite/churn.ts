import { join } from 'node:path';
import { writeNpy } from '../../datasets/npy.js';
import { gatherRows } from '../../src/base/gather-rows.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import { NO_ID, recallAtK } from '../../src/eval/metrics.js';
import type { Opponent } from '../opponent.js';
import { type Contest, runContest, speedOf, warmupOf, writeIds } from './contest.js';
import type { ChurnPoint, ChurnResult } from './result.js';
import type { SuiteOptions } from './run.js';
import { type ChurnTask, caseOf } from './suite.js';

const K = 10;

/** What is in the index: ids, and for each the row of the data that is its vector. */
type Live = Map<number, number>;

/** What a round does. */
interface Change {
  readonly removed: Uint32Array;
  /** Ids that get vectors, new ones and such that are replaced, and the rows of these vectors. */
  readonly ids: Uint32Array;
  readonly rows: Uint32Array;
}

/**
 * The first half of the vectors is indexed; in each round some are deleted, as many of the others are
 * added under new ids, and half as many are replaced. Recall is against exact search in what is left.
 */
export async function runChurn(task: ChurnTask, options: SuiteOptions): Promise<ChurnResult> {
  const benchCase = caseOf({ ...task, efs: [task.ef] }, K);
  const measured = await runContest(benchCase, options, {
    vectors: ({ corpus, dimensions, info }) =>
      corpus.subarray(0, firstHalf(info.count) * dimensions),
    measure: (opponent, contest) => measureRounds(task, opponent, contest),
  });
  const { data, contenders, skipped } = measured;
  return { kind: 'churn', name: task.name, task, data: data.info, contenders, skipped };
}

async function measureRounds(
  task: ChurnTask,
  opponent: Opponent,
  contest: Contest,
): Promise<{ points: ChurnPoint[] }> {
  const { corpus, dimensions, info } = contest.data;
  const size = firstHalf(info.count);
  const live: Live = new Map(Array.from({ length: size }, (_, id) => [id, id]));
  const next = changes(task, info.count, size);
  const nothing = {
    removed: new Uint32Array(0),
    ids: new Uint32Array(0),
    rows: new Uint32Array(0),
  };
  const points: ChurnPoint[] = [];
  let turned = 0;
  for (let round = 0; round <= task.rounds; round++) {
    const change = round === 0 ? nothing : next(live);
    turned += change.ids.length;
    const vectorsPath = join(contest.scratch, 'changed.npy');
    writeNpy(
      vectorsPath,
      [change.ids.length, dimensions],
      gatherRows(corpus, dimensions, change.rows),
    );
    const { seconds, bytesPerVector } = await opponent.change({
      removedPath: writeIds(contest, 'removed', change.removed),
      idsPath: writeIds(contest, 'ids', change.ids),
      vectorsPath,
    });
    points.push({
      ...{ round, turnover: turned / size, seconds, bytesPerVector: bytesPerVector.total },
      ...(await searched(task, opponent, contest, live)),
    });
  }
  return { points };
}

async function searched(
  { ef }: ChurnTask,
  opponent: Opponent,
  { benchCase, data, queriesPath }: Contest,
  live: Live,
): Promise<Pick<ChurnPoint, 'recall' | 'qps' | 'ghosts'>> {
  const { measureMs, distance } = benchCase;
  const { corpus, queries, dimensions } = data;
  const report = await opponent.search({
    ...{ queriesPath, k: K, ef, warmupMs: warmupOf(measureMs), measureMs },
  });
  const ids = [...live.keys()];
  const left = gatherRows(corpus, dimensions, [...live.values()]);
  const truth = exactNeighbours(left, queries, dimensions, 2 * K, distance);
  const places = new Map(ids.map((id, i) => [id, i]));
  const ghosts = report.ids.filter((id) => id !== NO_ID && !places.has(id)).length;
  const found = report.ids.map((id) => places.get(id) ?? NO_ID);
  const scoreOf = exactScorer(left, queries, dimensions, distance);
  return { recall: recallAtK(found, truth, K, { scoreOf }), qps: speedOf(report).qps, ghosts };
}

/** Makes the changes of one round after another, and tells `live` of them. */
function changes({ share, seed }: ChurnTask, count: number, size: number): (live: Live) => Change {
  const random = new Random(seed);
  let nextId = size;
  let nextRow = size;
  const takeRow = () => nextRow++ % count;
  return (live) => {
    const order = random.permutation(live.size);
    const all = [...live.keys()];
    const moved = Math.max(1, Math.round(share * size));
    const removed = order.slice(0, moved).map((place) => all[place]);
    const replaced = order.slice(moved, moved + Math.ceil(moved / 2)).map((place) => all[place]);
    for (const id of removed) live.delete(id);
    const ids = Uint32Array.from([...replaced, ...Array.from(removed, () => nextId++)]);
    const rows = ids.map(takeRow);
    ids.forEach((id, i) => {
      live.set(id, rows[i]);
    });
    return { removed, ids, rows };
  };
}

function firstHalf(count: number): number {
  return Math.floor(count / 2);
}
