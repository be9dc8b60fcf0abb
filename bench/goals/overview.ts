import { table } from '../markdown.js';
import type { CaseResult, ContenderResult } from '../result.js';
import type { GoalsResult } from './result.js';
import { timesOf } from './tables.js';

/** A goal, and how far the sets are: figures of the real one and of the generated one. */
interface Row {
  readonly goal: string;
  readonly target: string;
  readonly real: Figure;
  readonly generated?: Figure;
  /** Said behind the verdict. */
  readonly where?: string;
}

interface Figure {
  readonly text: string;
  readonly isMet: boolean;
}

const HNSWLIB = 'hnswlib-node';
const PEERS = 'usearch, zvec';

/** The goals of docs/benchmarks.md, from goals.json and the curves of a real and a generated set. */
export function goalsOverview(goals: GoalsResult, real: CaseResult, generated: CaseResult): string {
  const rows = [...againstOthers(real, generated), ...alone(goals, real, generated)];
  return table(
    ['goal', 'target', `${real.case} (real)`, generated.case, ''],
    rows.map(({ goal, target, real: on, generated: other, where }) => [
      ...[goal, target, on.text, other?.text ?? ''],
      [verdict(on, other), where].filter((text) => text !== undefined).join(', '),
    ]),
  );
}

function verdict(real: Figure, generated: Figure = real): string {
  if (real.isMet && generated.isMet) return 'met';
  if (real.isMet) return 'met on real data';
  return generated.isMet ? 'met on generated data' : 'missed';
}

function againstOthers(real: CaseResult, generated: CaseResult): Row[] {
  const both = (figure: (result: CaseResult) => Figure) => ({
    real: figure(real),
    generated: figure(generated),
  });
  const speed = (level: '0.95' | '0.99', opponent: string, least: number) =>
    both((result) => {
      const times = ratioOf(result, 'leandex', opponent).qps[level];
      return times === null ? { text: 'ends below', isMet: false } : timesAt(times, least);
    });
  const build = (opponent: string, least: number) =>
    both((result) => timesAt(ratioOf(result, 'leandex', opponent).build, least));
  return [
    { goal: 'queries/s at recall@10 .95', target: `15x ${HNSWLIB}`, ...speed('0.95', HNSWLIB, 15) },
    { goal: '', target: '10x the best of usearch and zvec', ...speed('0.95', PEERS, 10) },
    { goal: 'queries/s at .99', target: `8x ${HNSWLIB}`, ...speed('0.99', HNSWLIB, 8) },
    { goal: '', target: '5x the best of usearch and zvec', ...speed('0.99', PEERS, 5) },
    {
      goal: 'build, all cores each',
      target: `8x ${HNSWLIB} (which has one thread)`,
      ...build(HNSWLIB, 8),
    },
    { goal: '', target: 'faster than every peer that reaches .95', ...build(PEERS, 1) },
    {
      goal: 'memory, default',
      target: 'a third of float32 HNSW',
      ...both((result) => shareOf(ratioOf(result, 'leandex', HNSWLIB).memory, 3)),
    },
    {
      goal: 'memory, compact, at .95 and more',
      target: 'a sixth',
      ...both((result) => {
        const { text, isMet } = shareOf(ratioOf(result, 'leandex compact', HNSWLIB).memory, 6);
        const { points, atRecall } = contender(result, 'leandex compact');
        if (atRecall['0.95'] !== null) return { text, isMet };
        const end = Math.max(...points.map(({ recall }) => recall));
        return { text: `${text}, but ends at ${short(end)}`, isMet: false };
      }),
    },
  ];
}

function alone(goals: GoalsResult, real: CaseResult, generated: CaseResult): Row[] {
  const { loss, growth, builds, eventLoop } = goals;
  const points = loss.map(({ ef, codes, floats }) => ({ ef, points: 100 * (floats - codes) }));
  const fine = points.filter((_, i) => points.slice(i).every((each) => each.points <= 0.5));
  const grown = growth.filter(({ recall }) => recall === 0.9 || recall === 0.95);
  const times = grown.map(({ recall, micros }) => ({ recall, times: timesOf(micros) }));
  const share = builds[0].seconds / builds.at(-1)!.seconds;
  const { threads } = builds.at(-1)!;
  const late = (key: 'p99' | 'max') => Math.max(...eventLoop.map((row) => row[key]));
  const isLate = ({ p99, max }: (typeof eventLoop)[number]) => p99 > 5 || max > 50;
  const exceptions = eventLoop.filter(isLate).map(({ what }) => what);
  const tail = (result: CaseResult) => {
    const ratio = contender(result, 'leandex').latency?.p99ToP50 ?? Number.POSITIVE_INFINITY;
    return { text: ratio.toFixed(1), isMet: ratio <= 2.5 };
  };
  return [
    {
      goal: 'recall lost to compression at fixed ef',
      target: '.5 points',
      real: {
        text: points.map(({ ef, points: lost }) => `${lost.toFixed(2)} at ${ef}`).join(', '),
        isMet: fine.length > 0,
      },
      ...(fine.length > 0 && fine.length < points.length && { where: `from ef ${fine[0].ef} on` }),
    },
    { goal: 'p99 / p50, one thread', target: '2.5', real: tail(real), generated: tail(generated) },
    {
      goal: 'time a query at equal recall, n times ten',
      target: '1.6x',
      real: {
        text: times.map((each) => `${each.times?.toFixed(1)}x at ${short(each.recall)}`).join(', '),
        isMet: times.every((each) => each.times !== undefined && each.times <= 1.6),
      },
    },
    {
      goal: 'build with c threads',
      target: '.85 c',
      real: { text: `${short(share / threads)} of ${threads}`, isMet: share / threads >= 0.85 },
    },
    {
      goal: 'event loop late, anything asynchronous',
      target: '5 ms at p99, 50 ms ever',
      real: {
        text: `at most ${late('p99').toFixed(1)} ms at p99, ${late('max').toFixed(0)} ms ever`,
        isMet: exceptions.length === 0,
      },
      ...(exceptions.length > 0 && { where: `by: ${exceptions.join('; ')}` }),
    },
  ];
}

function ratioOf({ contenders, ratios }: CaseResult, name: string, opponent: string) {
  return ratios.find(
    (ratio) => ratio.opponent === opponent && contenders[ratio.contender].name === name,
  )!;
}

function contender({ contenders }: CaseResult, name: string): ContenderResult {
  return contenders.find((each) => each.name === name)!;
}

function timesAt(times: number, least: number): Figure {
  return { text: `${times.toFixed(1)}x`, isMet: times >= least };
}

function shareOf(times: number, least: number): Figure {
  return { text: `1/${times.toFixed(1)}`, isMet: times >= least };
}

/** Two digits without the zero before the point. */
function short(value: number): string {
  return value.toFixed(2).replace(/^0/, '');
}
