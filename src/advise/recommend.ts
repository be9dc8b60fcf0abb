import type { Distance } from '../base/distance.js';
import type { Advice, Reason, Warning } from './advice.js';
import type { Request, Samples } from './advise.js';
import { beamFor, ceilingOf, growthPower } from './recall-curve.js';
import {
  COMPACT,
  challengesOf,
  compressionWarnings,
  ladderOf,
  projectionReason,
  type Rung,
} from './tree.js';
import {
  EXACT_MOST,
  exactTruth,
  type Settings,
  type Trial,
  type TrialRun,
  type TrialSet,
  tryOut,
} from './trial.js';

/** Queries that measure; a standard error of a recall is a third of a point then. */
const QUERIES_MAX = 512;
/** Fewer train no projection. */
const TRAINING_MIN = 256;
const TRAINING_MAX = 4096;
/** A change is worth it where the same recall takes a beam narrower by this share. */
const GAIN = 0.8;
/** The sample's beam is chosen for so much more: the error of a recall of 512 queries. */
const MARGIN = 0.003;
/** Of the sample, in the smaller index that tells how the beam grows. */
const SMALLER = 4;
/** Of fewer queries the error of a recall is two points and more. */
const ASKED_MIN = 100;
/** The rule for the beam has been tried for 21 times the sample. */
const EXTRAPOLATED_MAX = 32;
/** Beams are rounded up to these. */
const BEAM_STEP = 4;

/** Trial indexes decide what the features alone cannot. */
export async function recommend(
  samples: Samples,
  request: Request & { distance: Distance },
  features: Advice['features'],
  run: TrialRun,
  onChosen: () => void,
): Promise<Advice> {
  const { dimensions, distance, count, k } = request;
  const goal = Math.min(0.9995, request.recall + MARGIN);
  const { asking, training } = splitQueries(samples, request);
  const set = await trialSet(samples.rows, asking, request, run);
  const trials: Trial[] = [];
  const attempt = async (of: TrialSet, settings: Settings, train?: Float32Array) => {
    const trial = await tryOut(of, { seed: request.seed, ...settings }, goal, run, train);
    trials.push(trial);
    return trial;
  };
  const reasons: Reason[] = [];
  const warnings: Warning[] = [];
  const challenges = challengesOf(features, training !== undefined);
  const mayTrain = challenges.some(({ trains }) => trains);
  const storage = await chooseStorage(
    ladderOf(dimensions),
    (settings) => attempt(set, settings),
    mayTrain ? (settings) => attempt(set, settings, training) : undefined,
    goal,
    request.memory,
  );
  reasons.push({ about: storage.settings.m ? 'links' : 'codes', text: storage.text });
  let best = storage.trial;
  if (best.trained) {
    const text = `training for the queries helps: without it such codes do not reach the recall; recall@${k} at the same beam: ${compare(best, storage.plain)}`;
    reasons.push({ about: 'training', text });
  }
  for (const challenge of challenges) {
    if (challenge.trains && best.trained) continue;
    const train = challenge.trains || best.trained ? training : undefined;
    const trial = await attempt(set, { ...best.settings, ...challenge.settings }, train);
    const wins = isWorth(trial, best, goal);
    const verdict = `${challenge.name} ${wins ? 'helps' : 'is not worth it'}`;
    const figures = `recall@${k} at the same beam: ${compare(trial, best)}`;
    reasons.push({ about: challenge.about, text: `${verdict}; ${figures}` });
    if (wins) best = trial;
  }
  onChosen();
  const smaller = (of: TrialSet) => attempt(of, best.settings, best.trained ? training : undefined);
  const beam = await beamAtFullSize(best, count, goal, set, run, smaller);
  const asked =
    request.queries === undefined
      ? '; vectors of the data asked, and queries are often harder: give some'
      : '';
  reasons.push({ about: 'ef', text: `${beam.text}${asked}` });
  const { stats } = best;
  const { primaryBits, primaryDimensions, energyKept } = stats;
  reasons.push(projectionReason(energyKept, primaryDimensions, primaryBits, dimensions));
  warnings.push(...compressionWarnings(energyKept, primaryDimensions, features, dimensions));
  const recall = Math.min(request.recall, ceilingOf(best.curve));
  const bytesPerVector = bytesAtFullSize(trials, best, count);
  warnings.push(...promiseWarnings({ recall, bytesPerVector, ef: beam.ef }, request));
  warnings.push(...sampleWarnings(asking.length / dimensions, best.count, count));
  return {
    settings: { dimensions, distance, ...best.settings, primaryBits, primaryDimensions },
    trainWithQueries: best.trained,
    search: { ef: beam.ef },
    expected: { count, k, recall, bytesPerVector, bytes: Math.round(count * bytesPerVector) },
    reasons,
    warnings,
    features,
    trials: trials.map(({ settings, trained, count: held, curve, stats: of }) => ({
      ...{ settings, trained, count: held, bytesPerVector: of.bytesPerVector.total, curve },
    })),
  };
}

/** Of what was asked for and cannot be had. */
function promiseWarnings(
  { recall, bytesPerVector, ef }: { recall: number; bytesPerVector: number; ef: number },
  { recall: wanted, memory, k, count }: Request,
): Warning[] {
  const warnings: Warning[] = [];
  if (recall < wanted) {
    const scan = count < EXACT_MOST ? `; exactBelow: ${count + 1} compares all vectors` : '';
    const text = `no settings reached recall@${k} ${wanted}; these reached ${recall.toFixed(3)}, with a beam of ${ef}${scan}`;
    warnings.push({ code: 'RECALL_OUT_OF_REACH', text });
  }
  if (bytesPerVector > memory) {
    const text = `an index takes ${Math.round(bytesPerVector)} bytes a vector, ${memory} are allowed`;
    warnings.push({ code: 'MEMORY_OUT_OF_REACH', text });
  }
  return warnings;
}

/** Of a promise that rests on little. */
function sampleWarnings(asked: number, sampled: number, count: number): Warning[] {
  if (asked >= ASKED_MIN && count <= EXTRAPOLATED_MAX * sampled) return [];
  const text = `${asked} queries among ${sampled} vectors tell little about ${count}: measure the recall of the index itself, or give more`;
  return [{ code: 'SMALL_SAMPLE', text }];
}

/** Queries that measure, and others to train with where there are enough; else rows ask. */
function splitQueries(
  { heldOut }: Samples,
  { queries, dimensions, trainWithQueries }: Request,
): { asking: Float32Array; training: Float32Array | undefined } {
  if (queries === undefined) return { asking: heldOut, training: undefined };
  const count = queries.length / dimensions;
  const asked = Math.min(QUERIES_MAX, count < 2 * TRAINING_MIN ? count : Math.floor(count / 2));
  const training = queries.subarray(asked * dimensions, (asked + TRAINING_MAX) * dimensions);
  return {
    asking: queries.subarray(0, asked * dimensions),
    training:
      trainWithQueries && training.length >= TRAINING_MIN * dimensions ? training : undefined,
  };
}

async function trialSet(
  rows: Float32Array,
  queries: Float32Array,
  { dimensions, distance, k }: { dimensions: number; distance: Distance; k: number },
  run: TrialRun,
): Promise<TrialSet> {
  const truth = await exactTruth(rows, queries, dimensions, k, distance, run);
  return { rows, queries, dimensions, distance, truth };
}

/** A step of the ladder with what it found, and what it found without training. */
type Storage = Rung & { trial: Trial; plain: Trial };

/**
 * The first of the ladder that reaches the goal within the memory allowed, or the best one. Training,
 * where it may help, is tried before a larger step: it costs no memory.
 */
async function chooseStorage(
  ladder: readonly Rung[],
  attempt: (settings: Settings) => Promise<Trial>,
  attemptTrained: ((settings: Settings) => Promise<Trial>) | undefined,
  goal: number,
  memory: number,
): Promise<Storage> {
  let best: Storage | undefined;
  for (const rung of ladder) {
    const plain = await attempt(rung.settings);
    const found = [plain];
    if (attemptTrained && beamFor(plain.curve, goal) === undefined) {
      found.push(await attemptTrained(rung.settings));
    }
    const allowed = found.filter(({ stats }) => stats.bytesPerVector.total <= memory);
    for (const trial of allowed) {
      if (best === undefined || ceilingOf(trial.curve) > ceilingOf(best.trial.curve)) {
        best = { ...rung, trial, plain };
      }
    }
    if (allowed.length === 0 || beamFor(best!.trial.curve, goal) !== undefined) break;
  }
  if (best !== undefined) return best;
  const trial = await attempt(COMPACT.settings);
  return { ...COMPACT, trial, plain: trial };
}

/** Whether a trial reaches the goal with a clearly narrower beam than another. */
function isWorth(trial: Trial, than: Trial, goal: number): boolean {
  const beam = beamFor(trial.curve, goal);
  const other = beamFor(than.curve, goal);
  if (beam === undefined) return false;
  return other === undefined || beam <= GAIN * other;
}

/** Recalls of two trials at the beam in the middle of the shorter curve. */
function compare(a: Trial, b: Trial): string {
  const at = Math.floor((Math.min(a.curve.length, b.curve.length) - 1) / 2);
  return `${a.curve[at].recall.toFixed(3)} against ${b.curve[at].recall.toFixed(3)}`;
}

/**
 * The beam for `count` vectors: that of the sample, times (count / sample)^p, with p from the beams of
 * the sample and of a quarter of it.
 */
async function beamAtFullSize(
  best: Trial,
  count: number,
  goal: number,
  set: TrialSet,
  run: TrialRun,
  attempt: (set: TrialSet) => Promise<Trial>,
): Promise<{ ef: number; text: string }> {
  const reached = Math.min(goal, ceilingOf(best.curve));
  const ef = beamFor(best.curve, reached)!;
  const measured = `recall ${reached.toFixed(3)} takes a beam of ${Math.ceil(ef)} among ${best.count} vectors`;
  if (count <= best.count) return { ef: roundUp(ef), text: measured };
  const rows = set.rows.subarray(0, Math.floor(best.count / SMALLER) * set.dimensions);
  const smaller = await attempt(await trialSet(rows, set.queries, { ...set, k: set.truth.k }, run));
  // Fewer vectors are easier: where not, it is the noise of a ceiling.
  const before = beamFor(smaller.curve, reached) ?? ef;
  const power = growthPower({ count: smaller.count, ef: before }, { count: best.count, ef });
  const grown = roundUp(ef * (count / best.count) ** power);
  const text = `${measured}, ${Math.ceil(before)} among ${smaller.count}: grown by n^${power.toFixed(2)} to ${count}`;
  return { ef: grown, text };
}

function roundUp(ef: number): number {
  return Math.ceil(ef / BEAM_STEP) * BEAM_STEP;
}

/** What an index shares out, as its model, weighs less among more vectors. */
function bytesAtFullSize(trials: readonly Trial[], best: Trial, count: number): number {
  const { other, total } = best.stats.bytesPerVector;
  const smaller = trials.at(-1)!;
  if (smaller.count >= best.count) return total;
  // other = shared / n + each, of two numbers n.
  const shared =
    (smaller.stats.bytesPerVector.other - other) / (1 / smaller.count - 1 / best.count);
  return total + Math.max(0, shared) * (1 / count - 1 / best.count);
}
