import { availableParallelism } from 'node:os';
import { loadEmbeddings, sharedFolder } from '../datasets/shared.js';
import { exactNeighbours, type GroundTruth } from '../src/eval/ground-truth.js';
import { recallAtK } from '../src/eval/metrics.js';
import { advise, LeanIndex, type LeanIndexOptions } from '../src/index.js';
import { watchEventLoop } from './event-loop.js';
import { type CurvePoint, qpsAtRecall, RECALL_LEVELS } from './frontier.js';
import {
  type BuildRow,
  GOAL_PARTS,
  type Goals,
  type LateRow,
  type LossRow,
} from './goals/result.js';
import { searchAll } from './search-all.js';
import { stampLine, stampOf, writeStamped } from './stamped.js';
import { median } from './statistics.js';

/**
 * The goals that need no opponent: recall lost to compression at the same ef, what ten times the data
 * cost, the speed-up of a build with all cores, and how long the event loop waits for anything
 * asynchronous. `npm run bench:goals [data set] [rounds]`, by default wordnet-mpnet768 and 3; these write
 * bench/results/goals.json.
 */

const [DEFAULT_SET, DEFAULT_ROUNDS] = ['wordnet-mpnet768', 3];
const SET = process.argv[2] ?? DEFAULT_SET;
const ROUNDS = Number(process.argv[3] ?? DEFAULT_ROUNDS);
const K = 10;
const EFS = [48, 64, 128, 200, 320];
/** Queries of the loss: a hundredth of a point of recall is two hits of these. */
const QUERIES = 2000;
const GROWTH_EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320];
const GROWTH_QUERIES = 500;

interface Data {
  dimensions: number;
  corpus: Float32Array;
  queries: Float32Array;
}

function load(): Data {
  const folder = sharedFolder(SET);
  if (folder === undefined) throw new Error(`the data set ${SET} is not here`);
  const { dimensions, corpus, queries } = loadEmbeddings(folder);
  return { dimensions, corpus, queries: queries.slice(0, QUERIES * dimensions) };
}

const build = ({ dimensions, corpus }: Data, options: Partial<LeanIndexOptions> = {}) =>
  LeanIndex.build(corpus, { dimensions, ...options });

/** Recall of the default and of float32 in graphs of the same seeds, mean over the seeds. */
async function compressionLoss(data: Data): Promise<LossRow[]> {
  const { corpus, queries, dimensions } = data;
  const truth = exactNeighbours(corpus, queries, dimensions, K, 'Cosine');
  const sums = { codes: EFS.map(() => 0), floats: EFS.map(() => 0) };
  for (let seed = 1; seed <= ROUNDS; seed++) {
    for (const [name, options] of [
      ['codes', { seed }],
      ['floats', { seed, primaryBits: 32, secondaryBits: 32 }],
    ] as const) {
      const index = await build(data, options);
      for (const [i, ef] of EFS.entries()) {
        const { ids } = await index.searchBatch(queries, K, { ef });
        sums[name][i]! += recallAtK(ids, truth, K) / ROUNDS;
      }
      await index.close();
    }
  }
  return EFS.map((ef, i) => ({ ef, codes: sums.codes[i]!, floats: sums.floats[i]! }));
}

/** Microseconds of a query at equal recall among a tenth of the vectors and among all, in turn. */
async function growth({ dimensions, corpus, queries }: Data): Promise<Goals['growth']> {
  const count = corpus.length / dimensions;
  const sizes = [Math.floor(count / 10), count];
  const few = queries.subarray(0, GROWTH_QUERIES * dimensions);
  const subjects: { truth: GroundTruth; index: LeanIndex; points: CurvePoint[] }[] = [];
  for (const size of sizes) {
    const rows = corpus.slice(0, size * dimensions);
    const truth = exactNeighbours(rows, few, dimensions, K, 'Cosine');
    const index = await build({ dimensions, corpus: rows, queries: few });
    subjects.push({ truth, index, points: [] });
  }
  for (const ef of GROWTH_EFS) {
    for (const { truth, index, points } of subjects) {
      const recall = recallAtK(searchAll(index, few, K, { ef }), truth, K);
      const seconds = Array.from({ length: 2 * ROUNDS + 1 }, () => {
        const start = performance.now();
        searchAll(index, few, K, { ef });
        return (performance.now() - start) / 1000;
      });
      points.push({ recall, qps: GROWTH_QUERIES / median(seconds) });
    }
  }
  for (const { index } of subjects) await index.close();
  const rows = RECALL_LEVELS.map((recall) => ({
    recall,
    micros: subjects.map(({ points }) => {
      const qps = qpsAtRecall(points, Number(recall));
      return qps === null ? null : 1e6 / qps;
    }),
  }));
  return { sizes, rows };
}

/** Seconds of builds with 1, 2, 4 … threads, taken in turn. */
async function parallelBuild(data: Data): Promise<BuildRow[]> {
  const cores = availableParallelism();
  const counts = [1];
  while (counts.at(-1)! < cores) counts.push(Math.min(cores, 2 * counts.at(-1)!));
  const seconds = new Map(counts.map((threads) => [threads, [] as number[]]));
  // The first build of a process starts threads and compiles.
  await (await build(data)).close();
  const holder = await build({ ...data, corpus: data.corpus.subarray(0, 3000 * data.dimensions) });
  for (let round = 0; round < ROUNDS; round++) {
    for (const threads of counts) {
      const start = performance.now();
      const { dimensions, corpus } = data;
      const index = await LeanIndex.build(corpus, { dimensions, threads });
      seconds.get(threads)!.push((performance.now() - start) / 1000);
      await index.close();
    }
  }
  await holder.close();
  return counts.map((threads) => ({ threads, seconds: median(seconds.get(threads)!) }));
}

/** Milliseconds that the event loop was late while something asynchronous ran. */
async function eventLoop(data: Data): Promise<LateRow[]> {
  const rows: LateRow[] = [];
  const watch = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const { result, lateness } = await watchEventLoop(work);
    rows.push({ what: name, ...lateness });
    return result;
  };
  const { dimensions, corpus, queries } = data;
  const count = corpus.length / dimensions;
  const tenth = corpus.slice(0, Math.floor(count / 10) * dimensions);
  const index = await watch('build', () => build(data));
  const ids = await watch('add a tenth', () => index.add(tenth));
  await watch('searchBatch', () => index.searchBatch(queries, K));
  await watch('searchAsync, 2,000 at once', () =>
    Promise.all(
      Array.from({ length: queries.length / dimensions }, (_, i) =>
        index.searchAsync(queries.subarray(i * dimensions, (i + 1) * dimensions), K),
      ),
    ),
  );
  await watch('update 20', async () => {
    for (let id = 0; id < 20; id++) await index.update(id, tenth.slice(0, dimensions));
  });
  await watch('delete a tenth', () => index.delete(ids));
  await watch('compact', () => index.compact());
  await watch('close', () => index.close());
  await watch('advise', () => advise(corpus, { dimensions, queries }));
  return rows;
}

const data = load();
const stamp = stampOf('goals');
console.log(`${stampLine(stamp)}, ${SET}\n`);
const { dimensions } = data;
const result = {
  ...stamp,
  set: SET,
  count: data.corpus.length / dimensions,
  dimensions,
  queries: [data.queries.length / dimensions, GROWTH_QUERIES] as const,
  rounds: ROUNDS,
  eventLoop: await eventLoop(data),
  build: await parallelBuild(data),
  growth: await growth(data),
  loss: await compressionLoss(data),
};
for (const [name, render] of Object.entries(GOAL_PARTS))
  console.log(`${name}\n\n${render(result)}\n`);
// Others, and smaller settings, are for looking at.
if (SET === DEFAULT_SET && ROUNDS >= DEFAULT_ROUNDS) writeStamped(result);
