import type { CollectionInfo } from '../../../db/info.js';
import { requestResult } from './api.js';
import { readInfo, shownName } from './collection.js';
import { type Child, h, refresh, table } from './dom.js';
import { bytesText, numberText } from './format.js';
import { everyFewSeconds } from './timer.js';

/** Collections that are asked about at once. */
const AT_ONCE = 8;

export async function showCollections(
  place: HTMLElement,
  _: string,
  signal: AbortSignal,
): Promise<void> {
  await everyFewSeconds(3, signal, async () => {
    const { result } = await requestResult<{ collections: { name: string }[] }>(
      'GET',
      '/collections',
    );
    const names = result.collections.map(({ name }) => name).sort();
    const rows: Child[][] = [];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      rows.push(...(await Promise.all(names.slice(from, from + AT_ONCE).map(rowOf))));
    }
    if (signal.aborted) return;
    const heads = ['Name', 'Status', 'Points', 'Vectors', 'Memory', 'Disk'];
    refresh(
      place,
      h('h1', {}, 'Collections'),
      rows.length === 0
        ? h('p', { class: 'muted' }, 'There are none yet.')
        : table(`${numberText(rows.length)} in this folder`, heads, rows),
    );
  });
}

async function rowOf(name: string): Promise<Child[]> {
  const link = h('a', { href: `#/c/${encodeURIComponent(name)}/overview` }, name);
  try {
    const info = await readInfo(name);
    const { memory, disk } = info.bytes;
    return [
      link,
      statusOf(info),
      numberText(info.count),
      vectorsText(info),
      bytesText(memory),
      bytesText(disk),
    ];
  } catch (error) {
    return [link, (error as Error).message];
  }
}

function vectorsText({ vectors, sparseVectors }: CollectionInfo): string {
  const dense = Object.entries(vectors).map(
    ([name, { size, distance }]) =>
      `${name === '' ? '' : `${shownName(name)} `}${size} ${distance}`,
  );
  return [...dense, ...Object.keys(sparseVectors).map((name) => `${name} sparse`)].join(', ');
}

/** The status, and how far what is under way has come. */
export function statusOf({ status, vectors }: CollectionInfo): HTMLElement {
  const place = h('span', {}, h('span', { class: `status ${status}` }, status));
  for (const [name, { progress, problem }] of Object.entries(vectors)) {
    if (progress) {
      const { phase, done, total } = progress;
      const label = `${shownName(name)}: ${phase}`;
      const bar = h('progress', { max: Math.max(1, total), value: done, 'aria-label': label });
      place.append(' ', bar, ` ${phase}`);
    }
    if (problem) place.append(h('span', { class: 'problem' }, ` ${problem}`));
  }
  return place;
}
