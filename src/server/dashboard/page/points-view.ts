import { pathOf, requestResult } from './api.js';
import { confirmed } from './dialog.js';
import { type Child, h, labelled, problem, show } from './dom.js';
import { form, jsonBox, jsonIn, numberBox } from './form.js';
import { numberText } from './format.js';
import { type Point, type PointId, pointList } from './point-list.js';

interface Page {
  points: Point[];
  next_page_offset: PointId | null;
}

/** What is browsed: a filter, and the first ids of the pages up to the one that is shown. */
interface Browsing {
  filter: unknown;
  limit: number;
  withVector: boolean;
  starts: (PointId | undefined)[];
}

const FILTER_EXAMPLE = '{ "must": [{ "key": "lang", "match": { "value": "en" } }] }';

export async function showPoints(place: HTMLElement, name: string): Promise<void> {
  const filterBox = jsonBox(FILTER_EXAMPLE);
  const limitBox = numberBox(20, 1, 1000);
  const vectorBox = h('input', { type: 'checkbox' });
  const results = h('div', {});
  const begin = () => {
    try {
      const filter = jsonIn('The filter', filterBox);
      const limit = limitBox.valueAsNumber;
      void browse(results, name, {
        filter,
        limit,
        withVector: vectorBox.checked,
        starts: [undefined],
      });
    } catch (error) {
      show(results, problem(error));
    }
  };
  const boxes = [
    labelled('Filter', filterBox, 'JSON, as the API takes it; empty for all points'),
    h(
      'div',
      { class: 'row' },
      labelled('Points a page', limitBox),
      labelled('Show vectors', vectorBox),
      h('button', { type: 'submit', class: 'primary' }, 'Show'),
    ),
  ];
  show(place, form(begin, ...boxes), results);
  begin();
}

async function browse(place: HTMLElement, name: string, browsing: Browsing): Promise<void> {
  const { filter, limit, withVector, starts } = browsing;
  try {
    const offset = starts.at(-1);
    const body = { filter, limit, offset, with_payload: true, with_vector: withVector };
    const [{ result: page }, { result: counted }] = await Promise.all([
      requestResult<Page>('POST', `${pathOf(name)}/points/scroll`, body),
      requestResult<{ count: number }>('POST', `${pathOf(name)}/points/count`, { filter }),
    ]);
    const go = (to: (PointId | undefined)[]) => browse(place, name, { ...browsing, starts: to });
    const next = page.next_page_offset;
    const first = (starts.length - 1) * limit + 1;
    const shown =
      page.points.length === 0
        ? ''
        : `${numberText(first)} to ${numberText(first + page.points.length - 1)} of `;
    const pager = h(
      'p',
      { class: 'row middle' },
      pagerButton('Previous', starts.length > 1, () => go(starts.slice(0, -1))),
      pagerButton('Next', next !== null, () => go([...starts, next!])),
      h('span', { class: 'muted', role: 'status' }, `${shown}${numberText(counted.count)}`),
    );
    const actionsOf = (point: Point) => [deleteButton(name, point.id, () => go(starts))];
    show(place, pager, pointList(page.points, actionsOf));
  } catch (error) {
    show(place, problem(error));
  }
}

function pagerButton(text: string, isOn: boolean, go: () => Promise<void>): HTMLElement {
  return h('button', { type: 'button', disabled: !isOn, onclick: () => void go() }, text);
}

function deleteButton(name: string, id: PointId, then: () => Promise<void>): Child {
  const remove = async (event: Event) => {
    const button = event.target as HTMLElement;
    if (!(await confirmed(`Delete point ${id}?`, 'This cannot be undone.', 'Delete it'))) return;
    try {
      await requestResult('POST', `${pathOf(name)}/points/delete?wait=true`, { points: [id] });
      await then();
    } catch (error) {
      button.after(problem(error));
    }
  };
  return h(
    'button',
    { type: 'button', class: 'danger', onclick: (event) => void remove(event) },
    'Delete …',
  );
}
