import type { IndexStats } from '../../src/index.js';
import type { DataInfo } from '../data.js';
import { table, whole } from '../markdown.js';
import type { Stamp } from '../stamped.js';

/** A variant at a beam width: recall@10, primary codes scored and microseconds a query. */
export interface SettingPoint {
  readonly ef: number;
  readonly recall: number;
  readonly distances: number;
  readonly micros: number;
}

export interface SettingRow {
  readonly name: string;
  readonly bytesPerVector: IndexStats['bytesPerVector'];
  readonly resolved: Partial<
    Pick<IndexStats, 'mode' | 'primaryDimensions' | 'primaryBits' | 'secondaryBits' | 'energyKept'>
  >;
  readonly points: readonly SettingPoint[];
}

export interface GroupResult {
  readonly group: string;
  readonly data: DataInfo;
  /** Queries of the data that were asked; the others trained, if any did. */
  readonly asked: number;
  readonly rows: readonly SettingRow[];
}

/** What `npm run bench:settings` measures. */
export interface Settings extends Stamp {
  readonly rounds: number;
  readonly groups: readonly GroupResult[];
}

/** The groups of a name, one below another: recall, distances or time at each of the widths. */
export function settingsTable({ groups }: Pick<Settings, 'groups'>, name: string): string {
  const chosen = groups.filter(({ group }) => group === name);
  const first = chosen[0];
  const efs = [
    ...new Set(first?.rows.flatMap(({ points }) => points.map(({ ef }) => ef)) ?? []),
  ].sort((a, b) => a - b);
  const heads = (what: string) => efs.map((ef, i) => (i === 0 ? `${what} ${ef}` : String(ef)));
  return table(
    ['data', 'setting', 'primary codes', 'bytes/vector'].concat(
      heads('recall@10 at ef'),
      heads('distances at'),
      heads('times the time at'),
    ),
    chosen.flatMap(({ data, rows }) =>
      rows.map(({ name: setting, bytesPerVector, resolved, points }) => {
        const at = (render: (point: SettingPoint) => string) =>
          efs.map((ef) => {
            const point = points.find((each) => each.ef === ef);
            return point === undefined ? '-' : render(point);
          });
        return [
          ...[data.name, setting],
          `${resolved.primaryDimensions} x ${resolved.primaryBits}`,
          whole(bytesPerVector.total),
          ...at(({ recall }) => recall.toFixed(3)),
          ...at(({ distances }) => whole(distances)),
          ...at((point) => (point.micros / microsOfFirst(rows, point.ef)).toFixed(2)),
        ];
      }),
    ),
  );
}

/** Bytes of a vector by part. */
export function settingBytesTable({ groups }: Pick<Settings, 'groups'>, name: string): string {
  return table(
    ['data', 'setting', 'primary', 'secondary', 'graph', 'other', 'total'],
    groups
      .filter(({ group }) => group === name)
      .flatMap(({ data, rows }) =>
        rows.map(
          ({ name: setting, bytesPerVector: { primary, secondary, graph, other, total } }) => [
            ...[data.name, setting],
            ...[primary, secondary, graph, other, total].map(whole),
          ],
        ),
      ),
  );
}

const microsOfFirst = (rows: readonly SettingRow[], wanted: number) =>
  rows[0]!.points.find(({ ef }) => ef === wanted)!.micros;
