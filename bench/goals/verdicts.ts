import { pointAbove, RECALL_LEVELS, type RecallLevel } from '../frontier.js';
import { table, whole } from '../markdown.js';
import type { CaseResult } from '../result.js';
import { type GoalsResult, growthOf, pointsLost, speedUp } from './result.js';

/** What was measured towards a goal on some data, as text, and whether that meets it. */
interface Measured {
  readonly text: string;
  readonly met: boolean;
}

/** A goal on each of the cases; undefined where it is not measured. */
interface Goal {
  readonly goal: string;
  readonly target: string;
  readonly measured: readonly (Measured | undefined)[];
}

const HNSWLIB = 'hnswlib-node';
const NATIVES = 'usearch, zvec';
const DEFAULT = 'leandex';
const COMPACT = 'leandex compact';

/**
 * The goals, and where we are: those against opponents by the ratios of the cases' results, the others
 * by `npm run bench:goals` on one of the sets. The targets are here, and verdicts are computed.
 */
export function goalsTable(goals: GoalsResult, cases: readonly CaseResult[]): string {
  const names = cases.map(({ case: name }) => name);
  const rows = [...againstOpponents(cases), ...byThemselves(goals, names)];
  return table(
    ['goal', 'target', ...names, 'verdict'],
    rows.map(({ goal, target, measured }) => [
      ...[goal, target, ...measured.map((each) => each?.text ?? '')],
      verdict(measured, names),
    ]),
  );
}

function verdict(measured: Goal['measured'], names: readonly string[]): string {
  const known = measured.flatMap((each, i) =>
    each === undefined ? [] : [{ met: each.met, name: names[i]! }],
  );
  const met = known.filter((each) => each.met);
  if (met.length === 0) return 'missed';
  return met.length === known.length ? 'met' : `met on ${met.map(({ name }) => name).join(', ')}`;
}

function againstOpponents(cases: readonly CaseResult[]): Goal[] {
  const goal = (
    name: string,
    target: string,
    measure: (result: CaseResult) => Measured | undefined,
  ): Goal => ({ goal: name, target, measured: cases.map(measure) });
  const speed = (level: RecallLevel, opponent: string, least: number) =>
    goal(`queries/s at recall@10 ${level}`, `${least}x the best of ${opponent}`, (result) => {
      const ratio = ratioOf(result, DEFAULT, opponent)?.qps[level];
      if (ratio == null) return { text: endsAt(result, DEFAULT), met: false };
      return { text: times(ratio), met: ratio >= least };
    });
  const build = (opponent: string, least: number, target: string) =>
    goal('build, all threads of each', target, (result) => {
      const ratio = ratioOf(result, DEFAULT, opponent)?.build;
      return ratio == null ? undefined : { text: times(ratio), met: ratio >= least };
    });
  return [
    speed('0.95', HNSWLIB, 15),
    speed('0.95', NATIVES, 10),
    speed('0.99', HNSWLIB, 8),
    speed('0.99', NATIVES, 5),
    build(HNSWLIB, 8, `8x ${HNSWLIB}`),
    build(NATIVES, 1, `no slower than the best of ${NATIVES}`),
    goal('memory, default', `1/3 of ${HNSWLIB}`, (result) => memory(result, DEFAULT, 3)),
    goal('memory, compact, at 0.95', `1/6 of ${HNSWLIB}`, (result) => memory(result, COMPACT, 6)),
    goal('p99 / p50 at 0.95, one thread', 'at most 2.5', (result) => {
      const latency = contenderOf(result, DEFAULT).latency;
      if (latency === null) return undefined;
      return { text: latency.p99ToP50.toFixed(1), met: latency.p99ToP50 <= 2.5 };
    }),
  ];
}

/** A contender that does not reach .95 has missed the goal however small it is. */
function memory(result: CaseResult, name: string, least: number): Measured {
  const theirs = contenderOf(result, 'hnswlib M16').bytesPerVector.total;
  const ours = contenderOf(result, name);
  const ratio = theirs / ours.bytesPerVector.total;
  const isReached = pointAbove(ours.points, 0.95) !== undefined;
  const text = `1/${ratio.toFixed(1)}`;
  return {
    text: isReached ? text : `${text}, but ${endsAt(result, name)}`,
    met: isReached && ratio >= least,
  };
}

function byThemselves(goals: GoalsResult, names: readonly string[]): Goal[] {
  const { loss, growth, build, eventLoop } = goals;
  const on = (goal: string, target: string, measured: Measured): Goal => {
    const place = names.map((name) => (name === goals.set ? measured : undefined));
    return { goal, target, measured: place };
  };
  const most = build.reduce((a, b) => (b.threads > a.threads ? b : a));
  const share = speedUp(build, most) / most.threads;
  const lost = (ef: number) => loss.filter((row) => row.ef === ef).map(pointsLost)[0]!;
  const atLevel = (level: RecallLevel) => growth.rows.find(({ recall }) => recall === level);
  const [few, all] = [growth.sizes[0]!, growth.sizes.at(-1)!];
  const grown = RECALL_LEVELS.slice(0, 2).map((level) => {
    const row = atLevel(level);
    const ratio = row === undefined ? null : growthOf(row);
    const text = ratio === null ? 'not reached' : timesFinely(ratio);
    const met = ratio !== null && ratio <= 1.6;
    return on(`time a query at ${level}, n from ${whole(few)} to ${whole(all)}`, 'at most 1.60x', {
      ...{ text, met },
    });
  });
  const worst = (pick: 'p99' | 'max', target: number) => {
    const late = eventLoop.reduce((a, b) => (b[pick] > a[pick] ? b : a));
    return on(
      `event loop late, ms, ${pick === 'max' ? 'ever' : pick}, anything asynchronous`,
      `at most ${target}`,
      { text: `${late[pick].toFixed(1)} (${late.what})`, met: late[pick] <= target },
    );
  };
  return [
    ...loss.map(({ ef }) =>
      on(`points of recall lost to compression at ef ${ef}`, 'at most .5', {
        ...{ text: lost(ef).toFixed(2), met: lost(ef) <= 0.5 },
      }),
    ),
    ...grown,
    on(`build on ${most.threads} threads, times one`, timesFinely(0.85 * most.threads), {
      ...{ text: timesFinely(share * most.threads), met: share >= 0.85 },
    }),
    worst('p99', 5),
    worst('max', 50),
  ];
}

function contenderOf({ case: name, contenders }: CaseResult, wanted: string) {
  const found = contenders.find((each) => each.name === wanted);
  if (found === undefined) throw new Error(`${name} has no contender ${wanted}`);
  return found;
}

function ratioOf({ contenders, ratios }: CaseResult, name: string, opponent: string) {
  return ratios.find(
    (ratio) => contenders[ratio.contender].name === name && ratio.opponent === opponent,
  );
}

function endsAt(result: CaseResult, name: string): string {
  const { points } = contenderOf(result, name);
  return `ends at ${Math.max(...points.map(({ recall }) => recall)).toFixed(3)}`;
}

const times = (ratio: number) => `${ratio.toFixed(1)}x`;
/** Where targets lie close to what is measured. */
const timesFinely = (ratio: number) => `${ratio.toFixed(2)}x`;
