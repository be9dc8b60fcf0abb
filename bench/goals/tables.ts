import { table } from '../markdown.js';
import type { GoalsResult } from './result.js';

export function lossTable({ loss }: GoalsResult): string {
  return table(
    ['ef', 'recall@10', 'on float32', 'points lost'],
    loss.map(({ ef, codes, floats }) => [
      ...[String(ef), codes.toFixed(4), floats.toFixed(4)],
      (100 * (floats - codes)).toFixed(2),
    ]),
  );
}

export function growthTable({ growth }: GoalsResult): string {
  const counts = growth[0].micros.map(({ count }) => count);
  return table(
    ['recall@10', ...counts.map((count) => `${count.toLocaleString('en')} vectors, µs`), 'times'],
    growth.map(({ recall, micros }) => [
      recall.toFixed(2),
      ...micros.map((each) => each.micros?.toFixed(1) ?? '-'),
      timesOf(micros)?.toFixed(2) ?? '-',
    ]),
  );
}

/** What a query takes among the most vectors, as a multiple of that among the fewest. */
export function timesOf(micros: GoalsResult['growth'][number]['micros']): number | undefined {
  const [few, many] = [micros[0].micros, micros.at(-1)!.micros];
  return few === null || many === null ? undefined : many / few;
}

export function buildTable({ builds }: GoalsResult): string {
  return table(
    ['threads', 'seconds', 'times as fast', 'of the threads'],
    builds.map(({ threads, seconds }) => {
      const ratio = builds[0].seconds / seconds;
      return [String(threads), seconds.toFixed(2), ratio.toFixed(2), (ratio / threads).toFixed(2)];
    }),
  );
}

export function eventLoopTable({ eventLoop }: GoalsResult): string {
  return table(
    ['event loop late during', 'seconds', 'p50 ms', 'p99 ms', 'max ms'],
    eventLoop.map(({ what, seconds, p50, p99, max }) => [
      ...[what, seconds.toFixed(2)],
      ...[p50, p99, max].map((ms) => ms.toFixed(1)),
    ]),
  );
}
