import { availableParallelism } from 'node:os';
import { loadEmbeddings, sharedFolder } from '../../datasets/shared.js';
import { LeandexError } from '../../src/base/errors.js';
import { exactNeighbours, type GroundTruth } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { advise, LeanIndex, type LeanIndexOptions } from '../../src/index.js';
import { watchEventLoop } from '../event-loop.js';
import { type CurvePoint, qpsAtRecall } from '../frontier.js';
import { median } from '../statistics.js';
import type { BuildRow, GrowthRow, LatenessRow, LossRow } from './result.js';

const K = 10;
const EFS = [48, 64, 128, 200, 320];
/** Queries of the loss: a hundredth of a point of recall is two hits of these. */
const QUERIES = 2000;
const GROWTH_EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320];
const GROWTH_QUERIES = 500;
const GROWTH_RECALLS = [0.9, 0.95, 0.98, 0.99];

export interface GoalsData {
  dimensions: number;
  corpus: Float32Array;
  queries: Float32Array;
}

export function loadGoalsData(set: string): GoalsData {
  const folder = sharedFolder(set);
  if (folder === undefined) {
    throw new LeandexError('NOT_FOUND', `the data set ${set} is not here`);
  }
  const { dimensions, corpus, queries } = loadEmbeddings(folder);
  return { dimensions, corpus, queries: queries.slice(0, QUERIES * dimensions) };
}

const build = ({ dimensions, corpus }: GoalsData, options: Partial<LeanIndexOptions> = {}) =>
  LeanIndex.build(corpus, { dimensions, ...options });

/** Recall of the default and of float32 in graphs of the same seeds, mean over the seeds. */
export async function compressionLoss(data: GoalsData, rounds: number): Promise<LossRow[]> {
  const { corpus, queries, dimensions } = data;
  const truth = exactNeighbours(corpus, queries, dimensions, K, 'Cosine');
  const sums = { codes: EFS.map(() => 0), floats: EFS.map(() => 0) };
  for (let seed = 1; seed <= rounds; seed++) {
    for (const [name, options] of [
      ['codes', { seed }],
      ['floats', { seed, primaryBits: 32, secondaryBits: 32 }],
    ] as const) {
      const index = await build(data, options);
      for (const [i, ef] of EFS.entries()) {
        const { ids } = await index.searchBatch(queries, K, { ef });
        sums[name][i]! += recallAtK(ids, truth, K) / rounds;
      }
      await index.close();
    }
  }
  return EFS.map((ef, i) => ({ ef, codes: sums.codes[i], floats: sums.floats[i] }));
}

/** Microseconds of a query at equal recall among a tenth of the vectors and among all, in turn. */
export async function growth(
  { dimensions, corpus, queries }: GoalsData,
  rounds: number,
): Promise<GrowthRow[]> {
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
      const ids = new Uint32Array(GROWTH_QUERIES * K);
      const seconds: number[] = [];
      for (let round = 0; round < 2 * rounds + 1; round++) {
        const start = performance.now();
        for (let i = 0; i < GROWTH_QUERIES; i++) {
          const query = few.subarray(i * dimensions, (i + 1) * dimensions);
          ids.set(index.search(query, K, { ef }).ids, i * K);
        }
        seconds.push((performance.now() - start) / 1000);
      }
      const qps = GROWTH_QUERIES / median(seconds);
      points.push({ recall: recallAtK(ids, truth, K), qps });
    }
  }
  for (const { index } of subjects) await index.close();
  return GROWTH_RECALLS.map((recall) => ({
    recall,
    micros: sizes.map((size, i) => {
      const qps = qpsAtRecall(subjects[i].points, recall);
      return { count: size, micros: qps === null ? null : 1e6 / qps };
    }),
  }));
}

/** Seconds of builds with 1, 2, 4 … threads, taken in turn. */
export async function parallelBuild(data: GoalsData, rounds: number): Promise<BuildRow[]> {
  const cores = availableParallelism();
  const counts = [1];
  while (counts.at(-1)! < cores) counts.push(Math.min(cores, 2 * counts.at(-1)!));
  const seconds = new Map(counts.map((threads) => [threads, [] as number[]]));
  // The first build of a process starts threads and compiles.
  await (await build(data)).close();
  const holder = await build({ ...data, corpus: data.corpus.subarray(0, 3000 * data.dimensions) });
  for (let round = 0; round < rounds; round++) {
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
export async function eventLoop(data: GoalsData): Promise<LatenessRow[]> {
  const rows: LatenessRow[] = [];
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
