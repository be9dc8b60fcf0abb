import { table, whole } from '../markdown.js';
import type {
  AnnResult,
  ChurnResult,
  FilteredResult,
  IrResult,
  KvResult,
  MultiTaskResult,
  TaskResult,
} from './result.js';

/** What leandex's first contender did in a task, and what the others did. */
type Line = readonly [what: string, ours: string, others: string];

const LEVEL = '0.95';
const KV_LEVEL = 8;

/** A line a task, and none where leandex took no part: what to know before one reads on. */
export function briefTable(tasks: readonly TaskResult[]): string | undefined {
  const lines = tasks.flatMap((task) =>
    linesOf(task).map(([what, ...rest]) => [`${task.name}, ${what}`, ...rest]),
  );
  return lines.length === 0 ? undefined : table(['task', 'leandex', 'the others'], lines);
}

function linesOf(task: TaskResult): Line[] {
  switch (task.kind) {
    case 'ann':
      return annLines(task);
    case 'ir':
      return irLines(task);
    case 'filtered':
      return filteredLines(task);
    case 'churn':
      return churnLines(task);
    case 'multi':
      return multiLines(task);
    case 'kv':
      return kvLines(task);
  }
}

function annLines({ results }: AnnResult): Line[] {
  return results.flatMap(({ k, contenders, ratios }) => {
    const first = contenders.findIndex(isOurs);
    if (first < 0) return [];
    const { atRecall, bytesPerVector } = contenders[first];
    const qps = atRecall[LEVEL];
    const speed = qps === null ? 'not reached' : `${whole(qps)} queries/s`;
    const against = ratios.flatMap(({ contender, opponent, qps: times, memory }) => {
      if (contender !== first) return [];
      const [faster, smaller] = [times[LEVEL], memory].map((ratio) => ratio?.toFixed(1) ?? '-');
      return [`${faster}x ${opponent} (memory ${smaller}x)`];
    });
    const ours = `${speed}, ${whole(bytesPerVector.total)} bytes a vector`;
    return [[`recall@${k} ${LEVEL.slice(1)}`, ours, orDash(against)]];
  });
}

function irLines({ ef, result }: IrResult): Line[] {
  const ours = result.contenders.find(isOurs);
  if (ours === undefined) return [];
  const scoreOf = ({ points }: (typeof result.contenders)[number]) =>
    points.find((point) => point.ef >= ef)?.task?.ndcgAt10.toFixed(4) ?? '-';
  // By the distance in use, as all of them search: not by the best one, where the funnel begins.
  const { ndcgAt10 } = result.exact![result.distance];
  const exact = `exact search ${ndcgAt10.toFixed(4)}`;
  const others = result.contenders.filter((each) => !isOurs(each));
  const scores = others.map((each) => `${each.name} ${scoreOf(each)}`);
  return [[`nDCG@10 at ef ${ef}`, scoreOf(ours), orDash([exact, ...scores])]];
}

function filteredLines({ task, contenders }: FilteredResult): Line[] {
  const [ours, others] = split(contenders);
  if (ours === undefined) return [];
  const least = ({ points }: typeof ours) =>
    Math.min(...points.map(({ recall }) => recall)).toFixed(3);
  const speeds = others.map((other) => {
    const times = ours.points.map(({ qps }, i) => qps / other.points[i].qps);
    const range = [Math.min(...times), Math.max(...times)].map((x) => x.toFixed(1));
    return `${other.name} ${least(other)}, ${range.join(' … ')}x`;
  });
  return [[`least recall@10, and speed, ef ${task.ef}`, least(ours), orDash(speeds)]];
}

function churnLines({ task, contenders }: ChurnResult): Line[] {
  const [ours, others] = split(contenders);
  if (ours === undefined) return [];
  const figures = ({ points }: typeof ours) => {
    const ghosts = points.reduce((sum, point) => sum + point.ghosts, 0);
    const ends = [points[0], points.at(-1)!].map(({ recall }) => recall.toFixed(3)).join(' to ');
    return ghosts === 0 ? ends : `${ends}, ${ghosts} ghosts`;
  };
  const what = `recall@10 over ${task.rounds} rounds, ef ${task.ef}`;
  return [[what, figures(ours), orDash(others.map((each) => `${each.name} ${figures(each)}`))]];
}

/** The fastest that finds nine of ten of what exhaustive ranking finds, else the best. */
function multiLines({ figures }: MultiTaskResult): Line[] {
  const found = figures.filter(({ method }) => method === 'LeanMultiIndex');
  const enough = found.filter(({ recallAt10 }) => recallAt10 >= 0.9);
  const best =
    enough.length > 0
      ? enough.reduce((a, b) => (b.queriesPerSecond > a.queriesPerSecond ? b : a))
      : found.reduce((a, b) => (b.recallAt10 > a.recallAt10 ? b : a));
  const { recallAt10, queriesPerSecond, timesExhaustive } = best;
  const ours = `${recallAt10.toFixed(3)}, ${whole(queriesPerSecond)} queries/s`;
  return [['recall@10 against MaxSim', ours, `${timesExhaustive.toFixed(1)}x exhaustive MaxSim`]];
}

/** Of those that save as much with the bases that they need. */
function kvLines({ figures }: KvResult): Line[] {
  const rows = figures
    .filter((row) => row.level === KV_LEVEL && row.compressionWithBases > 0.9 * KV_LEVEL)
    .map(({ method, keys, values }) => ({ method, error: (keys + values) / 2 }));
  const [ours, others] = [true, false].map((own) =>
    rows.filter(({ method }) => method.startsWith('leandex') === own),
  );
  if (ours.length === 0) return [];
  const text = ({ method, error }: (typeof rows)[number]) =>
    `${method.replace('leandex, ', '')} ${error.toFixed(3)}`;
  const best = others.toSorted((a, b) => a.error - b.error).slice(0, 1);
  const what = `error of keys and values at ${KV_LEVEL}x`;
  return [[what, ours.map(text).join('; '), orDash(best.map(text))]];
}

/** The first contender of leandex, and those of others. */
function split<Each extends { readonly name: string }>(
  contenders: readonly Each[],
): [Each | undefined, Each[]] {
  return [contenders.find(isOurs), contenders.filter((each) => !isOurs(each))];
}

function isOurs({ name }: { readonly name: string }): boolean {
  return name.startsWith('leandex');
}

function orDash(texts: readonly string[]): string {
  return texts.length === 0 ? '-' : texts.join('; ');
}
