import { createHash } from 'node:crypto';
import { bytesOf } from '../../datasets/elements.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { type Advice, type AdviseOptions, advise, LeanIndex, lossFunnel } from '../../src/index.js';
import { table } from '../markdown.js';
import type { AdviseCase, AdviseData } from './cases.js';

/** Half a data set's queries at the most. */
const QUERIES_MAX = 1000;
/** What a promise may be missed by. */
export const TOLERANCE = 0.01;

/**
 * Asks for advice with half of the queries, builds an index of all vectors as recommended, and measures
 * with the other half against brute force in float64. Undefined where the data are absent.
 */
export async function verify({ name, load, options, unseen }: AdviseCase) {
  const data = load();
  if (data === undefined) return undefined;
  const { corpus, dimensions, classes } = data;
  const [given, asked] = halves(data);
  const wish: AdviseOptions = { dimensions, queries: given, labels: classes?.corpus, ...options };
  const start = performance.now();
  const advice = await advise(corpus, wish);
  const adviseSeconds = (performance.now() - start) / 1000;
  const { settings, search, expected, trainWithQueries, warnings, reasons, trials } = advice;
  const index = await LeanIndex.build(corpus, {
    ...settings,
    ...(trainWithQueries && { queries: given }),
  });
  const { k } = expected;
  const truth = exactNeighbours(corpus, asked, dimensions, k, settings.distance);
  const { ids } = await index.searchBatch(asked, k, search);
  const recall = recallAtK(ids, truth, k);
  const { mode, bytesPerVector } = index.stats();
  await index.close();
  return {
    ...{ name, unseen: unseen === true, count: corpus.length / dimensions, dimensions },
    sha256: createHash('sha256')
      .update(bytesOf(corpus))
      .update(bytesOf(data.queries))
      .digest('hex'),
    queries: asked.length / dimensions,
    ...{ options, mode, settings, trainWithQueries, search, expected },
    warnings: warnings.map(({ code }) => code),
    reasons,
    sampled: Math.max(0, ...trials.map(({ count }) => count)),
    measured: { recall, bytesPerVector: bytesPerVector.total },
    isKept: recall >= expected.recall - TOLERANCE,
    adviseSeconds,
    ...(classes && { funnel: await funnelByClass(data, asked, settings, search.ef) }),
  };
}

/** Where the classes of the rows are lost. */
function funnelByClass(
  { corpus, dimensions, classes }: AdviseData,
  asked: Float32Array,
  { dimensions: _, distance, ...settings }: Advice['settings'],
  ef: number,
) {
  // The queries that are asked are the second half.
  const first = asked.length / dimensions;
  const gainOf = (query: number, id: number) =>
    classes!.queries[first + query] === classes!.corpus[id] ? 1 : 0;
  return lossFunnel(corpus, asked, { dimensions, distance, gainOf, ef, settings });
}

export type Verified = NonNullable<Awaited<ReturnType<typeof verify>>>;

/** Queries for the advisor, and others to measure with. */
export function halves({ queries, dimensions }: AdviseData): [Float32Array, Float32Array] {
  const half = Math.min(QUERIES_MAX, Math.floor(queries.length / dimensions / 2));
  const middle = half * dimensions;
  return [queries.slice(0, middle), queries.slice(middle, 2 * middle)];
}

/** The results as a table of Markdown. */
export function render(results: readonly Verified[]): string {
  return table(
    ['data', 'vectors', 'recommended', 'ef', 'promised', 'measured', 'bytes promised', 'measured'],
    results.map((result) => {
      const { name, count, dimensions, mode, settings, search, expected, measured } = result;
      const { distance, primaryBits, primaryDimensions, secondaryBits, preset, m, order } =
        settings;
      const secondary = preset === 'compact' ? 'nested' : (secondaryBits ?? 8);
      const codes = `${distance}, ${primaryDimensions} x ${primaryBits} bits, ${secondary}`;
      const more = [m && `m ${m}`, order, result.trainWithQueries && 'queries'].filter(Boolean);
      return [
        name,
        `${count.toLocaleString('en')} x ${dimensions}`,
        mode === 'exact' ? `${distance}, exact` : [codes, ...more].join(', '),
        mode === 'exact' ? '-' : String(search.ef),
        expected.recall.toFixed(3),
        measured.recall.toFixed(3),
        String(Math.round(expected.bytesPerVector)),
        String(Math.round(measured.bytesPerVector)),
      ];
    }),
  );
}
