import { LeandexError } from '../../src/base/errors.js';
import type { Machine } from '../machine.js';
import { table } from '../markdown.js';
import type { GroupResult } from './measure.js';

/** What `npm run bench:settings` writes as settings.json. */
export interface SettingsResult {
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly rounds: number;
  readonly groups: readonly GroupResult[];
}

/**
 * A group as Markdown: at every beam width recall@10, distances a query, and the time as a multiple of
 * that of the first variant.
 * @throws LeandexError `NOT_FOUND` without such a group.
 */
export function settingsTable({ groups }: SettingsResult, name: string): string {
  const group = groups.find((each) => each.name === name);
  if (group === undefined) throw new LeandexError('NOT_FOUND', `no group ${name} in the result`);
  const efs = group.variants[0].points.map(({ ef }) => ef);
  const over = (what: string) => efs.map((ef, i) => (i === 0 ? `${what} at ef ${ef}` : String(ef)));
  return table(
    [group.data.name, ...over('recall@10'), ...over('distances'), ...over('time'), 'bytes'],
    group.variants.map(({ name: variant, points, bytesPerVector }) => [
      variant,
      ...points.map(({ recall }) => recall.toFixed(4)),
      ...points.map(({ distances }) => Math.round(distances).toLocaleString('en')),
      ...points.map(({ times }) => times.toFixed(2)),
      Math.round(bytesPerVector.total).toLocaleString('en'),
    ]),
  );
}
