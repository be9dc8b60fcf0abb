import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf } from '../datasets/elements.js';
import { packageFolder } from '../datasets/package-folder.js';
import { exactNeighbours } from '../src/eval/ground-truth.js';
import { recallAtK } from '../src/eval/metrics.js';
import { type AdviseOptions, advise, LeanIndex } from '../src/index.js';
import { ADVISE_CASES, type AdviseCase, type AdviseData } from './advise/cases.js';
import { currentCommit, describeMachine } from './machine.js';
import { table } from './markdown.js';

/**
 * Whether the advisor keeps its promises: it is given the data and half of the queries, an index of
 * all vectors is built as it recommends, and searched with the other half.
 * `npm run bench:advise [case …]`: all by default; those whose data are absent are skipped.
 */

/** Half a data set's queries at the most. */
const QUERIES_MAX = 1000;
/** What a promise may be missed by. */
const TOLERANCE = 0.01;

async function verify({ name, load, options }: AdviseCase) {
  const data = load();
  if (data === undefined) {
    console.error(`${name}: skipped, the data set is absent`);
    return undefined;
  }
  const { corpus, dimensions } = data;
  const [given, asked] = halves(data);
  const start = performance.now();
  const wish: AdviseOptions = { dimensions, queries: given, ...options };
  const { settings, search, expected, trainWithQueries, warnings, trials } = await advise(
    corpus,
    wish,
  );
  const seconds = (performance.now() - start) / 1000;
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
    name,
    count: corpus.length / dimensions,
    dimensions,
    sha256: createHash('sha256')
      .update(bytesOf(corpus))
      .update(bytesOf(data.queries))
      .digest('hex'),
    queries: asked.length / dimensions,
    options,
    mode,
    settings,
    trainWithQueries,
    search,
    expected,
    warnings: warnings.map(({ code }) => code),
    sampled: Math.max(0, ...trials.map(({ count }) => count)),
    measured: { recall, bytesPerVector: bytesPerVector.total },
    isKept: recall >= expected.recall - TOLERANCE,
    adviseSeconds: seconds,
  };
}

type Verified = NonNullable<Awaited<ReturnType<typeof verify>>>;

function halves({ queries, dimensions }: AdviseData): [Float32Array, Float32Array] {
  const half = Math.min(QUERIES_MAX, Math.floor(queries.length / dimensions / 2));
  const middle = half * dimensions;
  return [queries.slice(0, middle), queries.slice(middle, 2 * middle)];
}

function render(results: readonly Verified[]): string {
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

const wanted = process.argv.slice(2);
const results: Verified[] = [];
const machine = describeMachine();
for (const each of ADVISE_CASES) {
  if (wanted.length > 0 && !wanted.includes(each.name)) continue;
  const result = await verify(each);
  if (result === undefined) continue;
  results.push(result);
  console.error(`${each.name}: ${result.adviseSeconds.toFixed(1)} s`);
}
if (wanted.length === 0) {
  const folder = join(packageFolder(), 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  const content = { date, commit: currentCommit(), machine, tolerance: TOLERANCE, results };
  writeFileSync(join(folder, 'advise.json'), `${JSON.stringify(content, null, 2)}\n`);
}
console.log(render(results));
if (results.some(({ isKept }) => !isKept)) process.exitCode = 1;
