import type { Lateness } from '../event-loop.js';
import { table } from '../markdown.js';
import type { Stamp } from '../stamped.js';

type LateMs = Omit<Lateness, 'seconds'>;

/** All points written, while queries go on. */
export interface Ingestion {
  /** Points a second at the most; null: as fast as it goes. */
  readonly rate: number | null;
  readonly pointsPerSecond: number;
  /** Until all are in the graph. */
  readonly indexedSeconds: number;
  readonly late: LateMs;
  /** While the rest is indexed, after the last point was acknowledged. */
  readonly lateWhileIndexed: LateMs;
  /** Milliseconds of the queries meanwhile. */
  readonly queries: { readonly count: number; readonly p50: number; readonly p99: number };
}

/** Queries with a filter that matches a share of the points; null: without one. */
export interface FilterRow {
  readonly share: number | null;
  /** Milliseconds, each query with a filter of its own. */
  readonly p50: number;
  /** The same where the filter is that of the query before. */
  readonly again: number | null;
  readonly recall: number;
}

/** What `npm run bench:collections` measures. */
export interface CollectionsResult extends Stamp {
  readonly count: number;
  readonly dimensions: number;
  readonly batch: number;
  /** A query every so many milliseconds while points are written. */
  readonly streamMs: number;
  readonly rounds: number;
  readonly ingestions: readonly Ingestion[];
  readonly closedSeconds: number;
  readonly openedSeconds: number;
  readonly lateWhileOpened: LateMs;
  readonly indexed: number;
  readonly bytes: { readonly memory: number; readonly disk: number };
  readonly filters: readonly FilterRow[];
}

type Parts = Omit<CollectionsResult, keyof Stamp>;

export function ingestionTable(result: Parts): string {
  const { closedSeconds, openedSeconds, lateWhileOpened, bytes } = result;
  const rows = result.ingestions.flatMap((ingestion) => {
    const { rate, pointsPerSecond, indexedSeconds, late, lateWhileIndexed, queries } = ingestion;
    const how =
      rate === null ? 'as fast as it goes' : `at ${rate.toLocaleString('en-US')} a second`;
    return [
      [`${how}: points a second acknowledged`, Math.round(pointsPerSecond).toLocaleString('en-US')],
      [`${how}: seconds until all are in the graph`, indexedSeconds.toFixed(1)],
      [`${how}: event loop late, ms, p50 / p99 / max`, spread(late)],
      [`${how}: the same while the rest is indexed`, spread(lateWhileIndexed)],
      [
        `${how}: ${queries.count} queries meanwhile, ms, p50 / p99`,
        `${queries.p50.toFixed(1)} / ${queries.p99.toFixed(1)}`,
      ],
    ];
  });
  return table(
    ['what', 'measured'],
    [
      ...rows,
      ['closed, indexes saved, s', closedSeconds.toFixed(2)],
      ['opened from what was saved, s', openedSeconds.toFixed(2)],
      ['event loop late meanwhile, ms, p50 / p99 / max', spread(lateWhileOpened)],
      [
        'MB in memory / on disk',
        [bytes.memory, bytes.disk].map((count) => (count / 1e6).toFixed(0)).join(' / '),
      ],
    ],
  );
}

export function filterTable({ filters }: Pick<Parts, 'filters'>): string {
  const unfiltered = filters.find(({ share }) => share === null)!.p50;
  return table(
    ['share that matches', 'p50 ms', 'times unfiltered', 'same filter again', 'recall@10'],
    filters.map(({ share, p50, again, recall }) => [
      share === null ? 'no filter' : String(share),
      p50.toFixed(3),
      (p50 / unfiltered).toFixed(1),
      again === null ? '-' : (again / unfiltered).toFixed(1),
      recall.toFixed(3),
    ]),
  );
}

const spread = ({ p50, p99, max }: LateMs) =>
  [p50, p99, max].map((ms) => ms.toFixed(1)).join(' / ');
