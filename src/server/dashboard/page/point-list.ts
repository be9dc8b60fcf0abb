import { type Child, h } from './dom.js';
import { toJson } from './json.js';

export type PointId = number | bigint | string;

export interface Point {
  id: PointId;
  score?: number;
  payload?: unknown;
  vector?: unknown;
}

/** What a score is exact to. */
const FLOAT32_DIGITS = 7;
/** Characters of a payload that a closed entry shows. */
const PREVIEW = 160;

/** Points with their payloads, closed to one line each until they are opened. */
export function pointList(
  points: readonly Point[],
  actionsOf: (point: Point) => Child[] = () => [],
): HTMLElement {
  if (points.length === 0) return h('p', { class: 'muted' }, 'No points.');
  return h(
    'ol',
    { class: 'points' },
    ...points.map((point) => h('li', {}, entry(point, actionsOf(point)))),
  );
}

function entry(point: Point, actions: Child[]): HTMLElement {
  const { id, score, payload, vector } = point;
  const text = toJson(payload ?? null);
  const preview = text.length > PREVIEW ? `${text.slice(0, PREVIEW)} …` : text;
  const details = h(
    'details',
    {},
    h(
      'summary',
      {},
      h('code', { class: 'id' }, String(id)),
      score !== undefined &&
        h('b', { class: 'score' }, String(Number(score.toPrecision(FLOAT32_DIGITS)))),
      h('span', { class: 'preview' }, preview),
    ),
  );
  // Not before it is looked at: payloads may be long and many.
  details.addEventListener(
    'toggle',
    () => {
      details.append(
        h('pre', {}, toJson(payload ?? null, 2)),
        ...(vector === undefined ? [] : [h('pre', { class: 'vector' }, toJson(vector))]),
        h('p', { class: 'row' }, ...actions),
      );
    },
    { once: true },
  );
  return details;
}
