import { requestText } from './api.js';
import { lineChart, type Series } from './chart.js';
import { h, refresh, show, table } from './dom.js';
import { bytesText, numberText, secondsText, shortText } from './format.js';
import {
  type Histogram,
  histogram,
  parseMetrics,
  quantile,
  type Samples,
  since,
  total,
} from './metrics-text.js';
import { everyFewSeconds } from './timer.js';

const SECONDS = 2;
/** States that are kept: five minutes. */
const KEPT = 150;
/** Seconds, of which the last is now. */
const X_TICKS = [-300, -240, -180, -120, -60, 0];

const COUNT = 'rest_responses_total';
const DURATION = 'rest_responses_duration_seconds';
/** This page asks for it all the time. */
const OWN = '/metrics';

interface State {
  /** Seconds. */
  at: number;
  requests: number;
  durations: Histogram;
  resident: number;
  heap: number;
  delay: number;
  working: number;
  waiting: number;
}

export async function showLive(place: HTMLElement, _: string, signal: AbortSignal): Promise<void> {
  const states: State[] = [];
  const charts = h('div', { class: 'charts' });
  const endpoints = h('div', {});
  show(place, h('h1', {}, 'Live'), charts, endpoints);
  await everyFewSeconds(SECONDS, signal, async () => {
    const samples = parseMetrics(await requestText('GET', OWN));
    if (signal.aborted) return;
    states.push(stateOf(samples));
    if (states.length > KEPT) states.shift();
    show(charts, ...chartsOf(states));
    refresh(endpoints, endpointTable(samples));
  });
}

function stateOf(samples: Samples): State {
  const others = (samples.get(COUNT) ?? []).filter(({ labels }) => labels.endpoint !== OWN);
  return {
    at: performance.now() / 1000,
    requests: others.reduce((sum, { value }) => sum + value, 0),
    durations: histogram(samples, DURATION, ({ endpoint }) => endpoint !== OWN),
    resident: total(samples, 'memory_resident_bytes'),
    heap: total(samples, 'leandex_nodejs_heap_size_used_bytes'),
    delay: total(samples, 'leandex_nodejs_eventloop_lag_p99_seconds'),
    working: total(samples, 'leandex_requests_working'),
    waiting: total(samples, 'leandex_requests_waiting'),
  };
}

function chartsOf(states: readonly State[]): HTMLElement[] {
  const end = states.at(-1)!.at;
  const series = (name: string, value: (state: State) => number): Series => ({
    name,
    points: states.map((state) => ({ x: state.at - end, y: value(state) })),
  });
  const between = (name: string, value: (now: State, before: State) => number): Series => ({
    name,
    points: states.slice(1).flatMap((now, i) => {
      const y = value(now, states[i]!);
      return Number.isNaN(y) ? [] : [{ x: now.at - end, y }];
    }),
  });
  const latency = (share: number) =>
    between(`p${100 * share}`, (now, before) =>
      quantile(since(now.durations, before.durations), share),
    );
  const xText = (x: number) => (x === 0 ? 'now' : `${x / 60} min`);
  const perSecond = between(
    'requests',
    (now, before) => (now.requests - before.requests) / (now.at - before.at),
  );
  const charts: [string, Series[], (y: number) => string][] = [
    ['Requests a second, without those of this page', [perSecond], shortText],
    ['Time of an answer', [latency(0.5), latency(0.99)], secondsText],
    [
      'Memory',
      [series('resident', ({ resident }) => resident), series('heap', ({ heap }) => heap)],
      bytesText,
    ],
    [
      'Requests under way',
      [series('worked on', ({ working }) => working), series('waiting', ({ waiting }) => waiting)],
      shortText,
    ],
    ['Delay of the event loop, p99', [series('delay', ({ delay }) => delay)], secondsText],
  ];
  return charts.map(([title, series, yText]) =>
    lineChart({
      title,
      series,
      xText,
      yText,
      xMin: X_TICKS[0]!,
      xTicks: X_TICKS,
      isBytes: yText === bytesText,
    }),
  );
}

function endpointTable(samples: Samples): HTMLElement {
  const keys = new Map<
    string,
    { method: string; endpoint: string; count: number; failed: number }
  >();
  for (const { labels, value } of samples.get(COUNT) ?? []) {
    const { method = '', endpoint = '', status = '' } = labels;
    const key = `${method} ${endpoint}`;
    const row = keys.get(key) ?? { method, endpoint, count: 0, failed: 0 };
    row.count += value;
    if (Number(status) >= 400) row.failed += value;
    keys.set(key, row);
  }
  const rows = [...keys.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ method, endpoint, count, failed }) => {
      const counts = histogram(
        samples,
        DURATION,
        (labels) => labels.method === method && labels.endpoint === endpoint,
      );
      return [
        `${method} ${endpoint}`,
        numberText(count),
        numberText(failed),
        secondsText(quantile(counts, 0.5)),
        secondsText(quantile(counts, 0.99)),
      ];
    });
  return table('Since the server began', ['Endpoint', 'Answers', 'Refused', 'p50', 'p99'], rows);
}
