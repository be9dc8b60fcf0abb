import { checkFinite, checkInteger, checkOptions, checkRows, notFinite } from '../base/check.js';
import { type Distance, parseDistance } from '../base/distance.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { gatherRows } from '../base/gather-rows.js';
import { Random } from '../base/random.js';
import { checkRunTypes, runSteps, type Steps, throwIfAborted } from '../base/steps.js';
import { normsOf } from '../eval/norms.js';
import { LeanIndex } from '../graph/lean-index.js';
import { DEFAULT_EXACT_BELOW } from '../graph/options.js';
import type { Advice, AdviseOptions } from './advice.js';
import { metricFeatures, shapeFeatures } from './meta-features.js';
import { recommend } from './recommend.js';
import { chooseDistance, distanceWarnings, shapeWarnings } from './tree.js';
import type { TrialRun } from './trial.js';

/** Checked options, everything filled in. */
export interface Request {
  dimensions: number;
  distance: Distance | undefined;
  queries: Float32Array | undefined;
  trainWithQueries: boolean;
  labels: ArrayLike<number> | undefined;
  /** Vectors given. */
  rows: number;
  count: number;
  k: number;
  recall: number;
  memory: number;
  sample: number;
  seed: number;
}

const OPTIONS = [
  ...['dimensions', 'distance', 'queries', 'labels', 'count', 'k', 'recall', 'memory'],
  ...['sample', 'seed', 'trainWithQueries', 'onProgress', 'signal', 'threads'],
];
/** Rows of a trial: what takes a few seconds to build. */
const SAMPLE_ROWS = { least: 16_384, most: 131_072, numbers: 2 ** 24 };
const FEATURE_ROWS = 2048;
/** Rows whose neighbours tell the intrinsic dimensionality. */
const WIDE_ROWS = 8192;
const HELD_OUT_ROWS = 512;
/** Where queries are given, rows only tell what the distance to the nearest is among the data. */
const PROBE_ROWS = 64;
/** Of few vectors most stay in the trial. */
const HELD_OUT_SHARE = 1 / 8;
const ROWS_MIN = 16;
/** Numbers copied between two yields. */
const NUMBERS_PER_STEP = 2 ** 17;

/**
 * Reads a sample of vectors and recommends how to index and search them, with reasons, the recall and
 * the bytes to expect, and warnings. It measures the sample, builds small indexes of it, and
 * extrapolates the beam to the full number (docs/advisor.md). Same input and seed, same advice. It
 * works in slices and in other threads; a minute or less.
 *
 * @param vectors n x dimensions, n ≥ 16, finite.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`; LeandexError `ABORTED`.
 */
export async function advise(vectors: Float32Array, options: AdviseOptions): Promise<Advice> {
  const request = checkRequest(vectors, options);
  const { dimensions, seed } = request;
  const { signal, threads, onProgress } = options;
  const run = {
    ...(signal !== undefined && { signal }),
    ...(threads !== undefined && { threads }),
  };
  const stage = (done: number) => {
    throwIfAborted(signal);
    onProgress?.({ phase: 'advise', done, total: STAGES });
  };
  stage(0);
  const samples = await runSteps(drawSamples(vectors, request), run);
  const { rows, heldOut, numbers } = samples;
  const few = rows.subarray(0, FEATURE_ROWS * dimensions);
  const labels =
    request.labels && Array.from(numbers.subarray(0, FEATURE_ROWS), (row) => request.labels![row]);
  const metric = await runSteps(metricFeatures(few, heldOut, dimensions, labels, seed), run);
  const chosen = request.distance
    ? { distance: request.distance, text: 'as given' }
    : chooseDistance(metric);
  const { distance, text } = chosen;
  stage(1);
  const wide = rows.subarray(0, WIDE_ROWS * dimensions);
  const shape = await runSteps(
    shapeFeatures(
      { rows: few, probes: heldOut, wide },
      request.queries,
      dimensions,
      distance,
      seed,
    ),
    run,
  );
  stage(2);
  const warnings = [...distanceWarnings(metric, distance), ...shapeWarnings(shape)];
  const features = { ...metric, ...shape };
  const advice: Advice =
    request.count < DEFAULT_EXACT_BELOW
      ? await exactAdvice(vectors, { ...request, distance }, features, run)
      : await recommend(
          distance === 'Cosine' ? withDirection(samples, dimensions) : samples,
          { ...request, distance },
          features,
          run,
          () => stage(3),
        );
  stage(STAGES);
  return {
    ...advice,
    reasons: [{ about: 'distance', text: `${distance}: ${text}` }, ...advice.reasons],
    warnings: [...warnings, ...advice.warnings],
  };
}

const STAGES = 4;

/** Rows of the data in random order: those of trial indexes, and others that ask. */
export interface Samples {
  rows: Float32Array;
  /** The numbers of `rows` in the data. */
  numbers: Uint32Array;
  heldOut: Float32Array;
}

function* drawSamples(vectors: Float32Array, request: Request): Steps<Samples> {
  const { rows: count, dimensions, sample, seed, queries } = request;
  const order = new Random(seed).permutation(count);
  yield;
  const wanted = queries === undefined ? HELD_OUT_ROWS : PROBE_ROWS;
  const asking = Math.min(wanted, Math.ceil(count * HELD_OUT_SHARE));
  const numbers = order.subarray(asking, asking + sample);
  const heldOut = yield* pickFinite(vectors, dimensions, order.subarray(0, asking));
  return { rows: yield* pickFinite(vectors, dimensions, numbers), numbers, heldOut };
}

/** Rows by their numbers; throws where one has a number that is not finite. */
function* pickFinite(
  vectors: Float32Array,
  dimensions: number,
  numbers: Uint32Array,
): Steps<Float32Array> {
  const picked = new Float32Array(numbers.length * dimensions);
  const perStep = Math.ceil(NUMBERS_PER_STEP / dimensions);
  for (let i = 0; i < numbers.length; i++) {
    const from = numbers[i] * dimensions;
    const row = vectors.subarray(from, from + dimensions);
    const bad = row.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw notFinite('vectors', numbers[i], bad, row[bad]);
    picked.set(row, i * dimensions);
    if (i % perStep === 0) yield;
  }
  return picked;
}

/** Without vectors of zeros, which an index for Cosine refuses. */
function withDirection(samples: Samples, dimensions: number): Samples {
  const [rows, heldOut] = [samples.rows, samples.heldOut].map((all) => directed(all, dimensions));
  const most = rows.length / dimensions;
  if (most >= ROWS_MIN && heldOut.length > 0) return { ...samples, rows, heldOut };
  throw outOfRange('the number of vectors with a direction (Cosine)', `at least ${ROWS_MIN}`, most);
}

/** The rows that are not all zeros; the same memory where all are. */
function directed(rows: Float32Array, dimensions: number): Float32Array {
  const lengths = normsOf(rows, dimensions);
  if (!lengths.includes(0)) return rows;
  const numbers = [...lengths.keys()].filter((row) => lengths[row] > 0);
  return gatherRows(rows, dimensions, numbers);
}

/** Few vectors are compared one by one: nothing is lost and nothing to tune. */
async function exactAdvice(
  vectors: Float32Array,
  { dimensions, rows, count, k, distance }: Request & { distance: Distance },
  features: Advice['features'],
  run: TrialRun,
): Promise<Advice> {
  const first = vectors.subarray(0, Math.min(rows, count) * dimensions);
  const some = distance === 'Cosine' ? directed(first, dimensions) : first;
  const index = await LeanIndex.build(some, { dimensions, distance, ...run });
  const bytesPerVector = index.stats().bytesPerVector.total;
  await index.close();
  const text = `${count} vectors, fewer than ${DEFAULT_EXACT_BELOW}, are kept as float32 and scanned: exact, and as fast as a graph`;
  return {
    settings: { dimensions, distance },
    trainWithQueries: false,
    search: { ef: k },
    expected: { count, k, recall: 1, bytesPerVector, bytes: Math.round(count * bytesPerVector) },
    reasons: [{ about: 'index', text }],
    warnings: [],
    features,
    trials: [],
  };
}

/** Vectors that trial indexes hold at the most, unless something else is asked for. */
export function sampleSize(dimensions: number): number {
  const { least, most, numbers } = SAMPLE_ROWS;
  return Math.min(most, Math.max(least, Math.floor(numbers / dimensions)));
}

function checkRequest(vectors: Float32Array, options: AdviseOptions): Request {
  checkOptions('advise', options, OPTIONS);
  const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
  const rows = checkRows('vectors', vectors, dimensions);
  if (rows < ROWS_MIN) throw outOfRange('the number of vectors', `at least ${ROWS_MIN}`, rows);
  const { distance, queries, labels, recall = 0.95, memory = Infinity } = options;
  if (queries !== undefined) {
    if (checkRows('queries', queries, dimensions) === 0) {
      throw outOfRange('the number of queries', 'at least 1', 0);
    }
    checkFinite('queries', queries, dimensions);
  }
  if (labels !== undefined && labels.length !== rows) {
    throw wrongDimension('labels', rows, labels.length);
  }
  if (typeof recall !== 'number') throw wrongType('recall', 'a number', recall);
  if (!(recall >= 0.5 && recall <= 0.999)) throw outOfRange('recall', 'from .5 to .999', recall);
  if (typeof memory !== 'number') throw wrongType('memory', 'a number', memory);
  if (!(memory > 0)) throw outOfRange('memory', 'a number of bytes above 0', memory);
  const { trainWithQueries = true } = options;
  if (typeof trainWithQueries !== 'boolean') {
    throw wrongType('trainWithQueries', 'a boolean', trainWithQueries);
  }
  checkRunTypes(options);
  if (options.threads !== undefined) checkInteger('threads', options.threads, 1, 1024);
  return {
    dimensions,
    rows,
    distance: distance === undefined ? undefined : parseDistance(distance),
    queries,
    trainWithQueries,
    labels,
    count: checkInteger('count', options.count ?? rows, 1, 2 ** 32),
    k: checkInteger('k', options.k ?? 10, 1, Math.min(1000, rows >> 1)),
    recall,
    memory,
    sample: checkInteger('sample', options.sample ?? sampleSize(dimensions), 2048, 1_000_000 - 1),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
  };
}
