import { h, s } from './dom.js';

export interface Series {
  name: string;
  /** By x, ascending. */
  points: readonly { x: number; y: number }[];
}

export interface ChartOptions {
  /** What is to be seen, for who cannot see it. */
  title: string;
  series: readonly Series[];
  xText: (x: number) => string;
  yText: (y: number) => string;
  /** Bounds of y; by default 0 and the largest. */
  yMin?: number;
  yMax?: number;
  /** Whether y counts bytes: it ends at a power of two. */
  isBytes?: boolean;
  /** The first x, where it is not that of the first point. */
  xMin?: number;
  /** What is written below the axis, by default round numbers. */
  xTicks?: readonly number[];
  isLogX?: boolean;
  hasDots?: boolean;
  /** An x that is marked with a line, and why. */
  mark?: { x: number; name: string } | undefined;
}

interface Scales {
  x: (value: number) => number;
  y: (value: number) => number;
  width: number;
}

const HEIGHT = 200;
const LEFT = 64;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 24;
const Y_TICKS = 4;
/** Pixels that a label of the x axis takes. */
const X_LABEL = 64;

/** Lines in an SVG as wide as its place, with a legend where there are several. */
export function lineChart(options: ChartOptions): HTMLElement {
  const place = h('div', { class: 'plot' });
  const draw = () => {
    const width = place.clientWidth;
    if (width > 0) place.replaceChildren(drawLines(options, width));
  };
  new ResizeObserver(draw).observe(place);
  const { series } = options;
  const legend = h(
    'ul',
    { class: 'legend' },
    ...series.map(({ name }, i) => h('li', {}, h('span', { class: `swatch c${i}` }), name)),
  );
  return h('figure', {}, h('figcaption', {}, options.title), place, series.length > 1 && legend);
}

function drawLines(options: ChartOptions, width: number): SVGElement {
  const { series, title, mark, hasDots, xText, yText } = options;
  const all = series.flatMap(({ points }) => points);
  const bounds = boundsOf(options, all);
  const scales = scalesOf(options, bounds, width);
  const svg = s('svg', { width, height: HEIGHT, role: 'img', 'aria-label': title });
  svg.append(...yAxis(scales, bounds, yText), ...xAxis(scales, bounds, options));
  if (mark) {
    const x = scales.x(mark.x);
    const isRight = x > width / 2;
    svg.append(
      s('line', { class: 'mark', x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }),
      s(
        'text',
        {
          x: x + (isRight ? -5 : 5),
          y: HEIGHT - BOTTOM - 8,
          'text-anchor': isRight ? 'end' : 'start',
        },
        mark.name,
      ),
    );
  }
  series.forEach(({ points, name }, i) => {
    const path = points.map(({ x, y }) => `${scales.x(x).toFixed(1)},${scales.y(y).toFixed(1)}`);
    svg.append(s('polyline', { class: `line c${i}`, points: path.join(' ') }));
    if (!hasDots) return;
    for (const { x, y } of points) {
      const label = s('title', {}, `${name}: ${xText(x)}, ${yText(y)}`);
      svg.append(
        s('circle', { class: `dot c${i}`, cx: scales.x(x), cy: scales.y(y), r: 4 }, label),
      );
    }
  });
  return svg;
}

interface Bounds {
  left: number;
  right: number;
  low: number;
  high: number;
}

function boundsOf({ yMin = 0, yMax, xMin, isBytes }: ChartOptions, all: Series['points']): Bounds {
  let [left, right, high] = [xMin ?? Infinity, xMin === undefined ? -Infinity : 0, yMin];
  for (const { x, y } of all) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    high = Math.max(high, y);
  }
  if (left > right) [left, right] = [0, 1];
  const nice = isBytes ? 2 ** Math.ceil(Math.log2(Math.max(1, high))) : niceSpan(high - yMin);
  return { left, right, low: yMin, high: yMax ?? (high > yMin ? yMin + nice : yMin + 1) };
}

/** The next of 1, 2, 4 and 8 times a power of ten: its quarters are short numbers. */
function niceSpan(span: number): number {
  const power = 10 ** Math.floor(Math.log10(span));
  const factor = [1, 2, 4, 8, 10].find((one) => one * power >= span * 0.9999) ?? 10;
  return factor * power;
}

function scalesOf(
  { isLogX }: ChartOptions,
  { left, right, low, high }: Bounds,
  width: number,
): Scales {
  const place = (x: number) => (isLogX ? Math.log(x) : x);
  const span = place(right) - place(left) || 1;
  return {
    x: (x) => LEFT + ((place(x) - place(left)) / span) * (width - LEFT - RIGHT),
    y: (y) => TOP + (1 - (Math.min(y, high) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM),
    width,
  };
}

function yAxis(
  { y, width }: Scales,
  { low, high }: Bounds,
  text: (y: number) => string,
): SVGElement[] {
  return Array.from({ length: Y_TICKS + 1 }, (_, i) => low + ((high - low) * i) / Y_TICKS).flatMap(
    (value) => [
      s('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s('text', { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, text(value)),
    ],
  );
}

function xAxis(
  { x, width }: Scales,
  { left, right }: Bounds,
  { xTicks, xText }: ChartOptions,
): SVGElement[] {
  const most = Math.max(2, Math.floor((width - LEFT - RIGHT) / X_LABEL));
  const values = xTicks ?? roundNumbers(left, right, Math.min(8, most));
  const step = Math.ceil(values.length / most);
  return values
    .filter((_, i) => i % step === 0)
    .map((value) => {
      const anchor = x(value) > width - RIGHT - 20 ? 'end' : 'middle';
      return s('text', { x: x(value), y: HEIGHT - 6, 'text-anchor': anchor }, xText(value));
    });
}

function roundNumbers(left: number, right: number, most: number): number[] {
  const step = niceSpan((right - left || 1) / most);
  const first = Math.ceil(left / step);
  return Array.from({ length: Math.floor(right / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** One bar of several parts, with what each is. */
export function partsBar(
  title: string,
  parts: readonly { name: string; bytes: number }[],
  text: (bytes: number) => string,
): HTMLElement {
  const total = parts.reduce((sum, part) => sum + part.bytes, 0) || 1;
  let from = 0;
  const bars = parts.map(({ name, bytes }, i) => {
    const width = (100 * bytes) / total;
    const bar = s(
      'rect',
      { class: `bar c${i}`, x: `${from}%`, width: `${width}%`, height: 28 },
      s('title', {}, `${name}: ${text(bytes)}`),
    );
    from += width;
    return bar;
  });
  const spoken = parts.map(({ name, bytes }) => `${name} ${text(bytes)}`).join(', ');
  return h(
    'figure',
    {},
    h('figcaption', {}, title),
    s(
      'svg',
      { class: 'parts', height: 28, role: 'img', 'aria-label': `${title}: ${spoken}` },
      ...bars,
    ),
    h(
      'ul',
      { class: 'legend column' },
      ...parts.map(({ name, bytes }, i) =>
        h('li', {}, h('span', { class: `swatch c${i}` }), `${name} `, h('b', {}, text(bytes))),
      ),
    ),
  );
}
