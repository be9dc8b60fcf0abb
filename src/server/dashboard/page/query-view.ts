import type { CollectionInfo } from '../../../db/info.js';
import { pathOf, requestResult } from './api.js';
import { readInfo, shownName, using, wireName } from './collection.js';
import { h, labelled, problem, show } from './dom.js';
import { form, idIn, jsonBox, jsonIn, numberBox, selectBox } from './form.js';
import { secondsText } from './format.js';
import { type Point, pointList } from './point-list.js';

/** What a query is typed as. */
const KINDS = {
  id: 'Id of a stored point',
  vector: 'Vector (JSON)',
  text: 'Words',
  any: 'Any query (JSON)',
} as const;
type Kind = keyof typeof KINDS;

const EXAMPLES: Readonly<Record<Kind, string>> = {
  id: '42',
  vector: '[0.1, 0.2, 0.3]',
  text: 'what the text is about',
  any: '{ "recommend": { "positive": [1, 2], "negative": [3] } }',
};

export async function showQuery(place: HTMLElement, name: string): Promise<void> {
  const info = await readInfo(name);
  const boxes = controls(info);
  const results = h('div', {});
  const run = async () => {
    try {
      const body = bodyOf(boxes);
      const path = `${pathOf(name)}/points/query`;
      const { result, time } = await requestResult<{ points: Point[] }>('POST', path, body);
      const found = `${result.points.length} in ${secondsText(time)} on the server`;
      show(results, h('p', { class: 'muted', role: 'status' }, found), pointList(result.points));
    } catch (error) {
      show(results, problem(error));
    }
  };
  show(
    place,
    form(() => void run(), ...layout(boxes)),
    results,
  );
}

function controls({ vectors, sparseVectors, textIndexes }: CollectionInfo) {
  const texts = Object.keys(textIndexes);
  const kinds = (Object.keys(KINDS) as Kind[]).filter(
    (kind) => kind !== 'text' || texts.length > 0,
  );
  const names = [...Object.keys(vectors), ...Object.keys(sparseVectors)];
  const kind = selectBox(kinds.map((one) => [one, KINDS[one]]));
  const query = jsonBox(EXAMPLES.id, 3);
  const onVector = labelled(
    'Vector',
    selectBox(names.map((one) => [wireName(one), shownName(one)])),
  );
  const onField = labelled('Field of the text', selectBox(texts.map((one) => [one, one])));
  const adapt = () => {
    query.placeholder = EXAMPLES[kind.value as Kind];
    onVector.hidden = names.length < 2 || kind.value === 'text';
    onField.hidden = kind.value !== 'text';
  };
  kind.addEventListener('change', adapt);
  adapt();
  return {
    kind,
    query,
    onVector,
    onField,
    limit: numberBox(10, 1, 1000),
    ef: numberBox('', 1, 100_000),
    exact: h('input', { type: 'checkbox' }),
    withVector: h('input', { type: 'checkbox' }),
    filter: jsonBox('{ "must": [] }'),
  };
}

type Controls = ReturnType<typeof controls>;

function layout(boxes: Controls): HTMLElement[] {
  return [
    h('div', { class: 'row' }, labelled('Look for', boxes.kind), boxes.onVector, boxes.onField),
    labelled('Query', boxes.query, 'Ctrl+Enter searches'),
    labelled('Filter', boxes.filter, 'JSON; empty for all points'),
    h(
      'div',
      { class: 'row' },
      labelled('Results', boxes.limit),
      labelled('ef', boxes.ef),
      labelled('Exact', boxes.exact),
      labelled('Show vectors', boxes.withVector),
      h('button', { type: 'submit', class: 'primary' }, 'Search'),
    ),
  ];
}

function bodyOf(boxes: Controls): object {
  const kind = boxes.kind.value as Kind;
  const ef = boxes.ef.valueAsNumber;
  const params = {
    ...(Number.isInteger(ef) && { hnsw_ef: ef }),
    ...(boxes.exact.checked && { exact: true }),
  };
  return {
    query: queryOf(kind, boxes),
    ...(kind !== 'text' && using(selected(boxes.onVector))),
    filter: jsonIn('The filter', boxes.filter),
    limit: boxes.limit.valueAsNumber,
    ...(kind !== 'text' && { params }),
    with_payload: true,
    with_vector: boxes.withVector.checked,
  };
}

function queryOf(kind: Kind, { query, onField }: Controls): unknown {
  const text = query.value.trim();
  if (text === '') throw new Error('There is no query.');
  if (kind === 'id') return idIn(text);
  if (kind === 'text') return { text: { field: selected(onField), match: text } };
  return jsonIn('The query', query);
}

const selected = (field: HTMLElement): string => field.querySelector('select')!.value;
