/** The one door to the document: all text becomes text nodes, and nothing is ever parsed as HTML. */

export type Child = Node | string | number | bigint | false | undefined;

type Handlers = { [K in keyof HTMLElementEventMap as `on${K}`]?: (event: Event) => void };
export type Attributes = Handlers & Record<string, unknown>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as EventListener);
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...nodesOf(children));
  return element;
}

/** Gives an element other children. */
export function show(element: Element, ...children: Child[]): void {
  element.replaceChildren(...nodesOf(children));
}

/**
 * The same where it is done again and again: what has not changed stays, and with it what is selected;
 * else the focus stays on what has the same address or name, and tables stay scrolled as they are.
 */
export function refresh(place: Element, ...children: Child[]): void {
  const next = place.cloneNode(false) as Element;
  show(next, ...children);
  if (next.isEqualNode(place)) return;
  const active = document.activeElement;
  const focused = active && place.contains(active) ? nameOf(active) : undefined;
  const scrolled = Array.from(place.querySelectorAll('.scroll'), (one) => one.scrollLeft);
  place.replaceChildren(...next.childNodes);
  place.querySelectorAll('.scroll').forEach((one, i) => {
    one.scrollLeft = scrolled[i] ?? 0;
  });
  if (focused === undefined) return;
  const all = [...place.querySelectorAll<HTMLElement>('a, button, [tabindex]')];
  all.find((one) => nameOf(one) === focused)?.focus({ preventScroll: true });
}

const nameOf = (element: Element): string =>
  element.getAttribute('href') ?? element.getAttribute('aria-label') ?? element.textContent ?? '';

const nodesOf = (children: Child[]): (Node | string)[] =>
  children
    .filter((child) => child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));

let fields = 0;

/** A control under its label. */
export function labelled(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= `field-${++fields}`;
  const note = hint === undefined ? undefined : h('small', { id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, note);
}

export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const cells = (row: readonly Child[]) => row.map((cell) => h('td', {}, cell));
  return h(
    'div',
    // What is wider than the page is scrolled, also by keyboard.
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', {}, caption),
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...cells(row)))),
    ),
  );
}

export const problem = (error: unknown): HTMLElement =>
  h('p', { class: 'problem', role: 'alert' }, (error as Error).message);
