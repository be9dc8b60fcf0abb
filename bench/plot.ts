import { writeFileSync } from 'node:fs';
import type { EChartsCoreOption } from 'echarts';
import { loadECharts } from './echarts.js';
import { paretoFrontier } from './frontier.js';
import { type CaseResult, type ContenderResult, resultPath } from './result.js';

const WIDTH = 1280;
const HEIGHT_LEAST = 720;

/** Of the head and the foot, and of a line of the legend. */
const MARGIN_HEIGHT = 130;
const LEGEND_LINE_HEIGHT = 21;

/** With more lines the names at their ends would cover them. */
const LABELS_MOST = 16;

/** Recall below this is of no use to anybody. */
const RECALL_LEAST = 0.8;

/** Engines by colour, their contenders by the look of the line. */
const COLOURS: Record<string, string> = {
  leandex: '#d1242f',
  'hnswlib-node': '#1f6feb',
  usearch: '#1a7f37',
  zvec: '#9a6700',
  edgevec: '#8250df',
};
const OTHER_COLOUR = '#57606a';

/** The colour of an engine's lines, the same in all plots. */
export function colourOf(engine: string): string {
  return COLOURS[engine] ?? OTHER_COLOUR;
}

const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect'];
const LINES = ['solid', 'dashed', 'dotted'] as const;

/**
 * The frontiers of a result as SVG: recall@10 to the right, queries/s upwards on a logarithmic
 * scale, a line for each contender; up and to the right is better.
 * @throws LeandexError `NOT_FOUND` when echarts, a development dependency, is not installed.
 */
export function renderPlot(result: CaseResult): Promise<string> {
  return renderSvg(plotOption(result), result.contenders.length);
}

/** A plot of so many lines as SVG, high enough for its legend. Errors as for renderPlot(). */
export async function renderSvg(option: EChartsCoreOption, lines: number): Promise<string> {
  const { init } = await loadECharts();
  const height = Math.max(HEIGHT_LEAST, MARGIN_HEIGHT + LEGEND_LINE_HEIGHT * lines);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Writes the plot of a result beside its JSON and gives the path. */
export async function writePlot(folder: string, result: CaseResult): Promise<string> {
  const path = resultPath(folder, result, 'svg');
  writeFileSync(path, await renderPlot(result));
  return path;
}

/** What echarts draws; by itself for those who want to draw it otherwise. */
export function plotOption(result: CaseResult): EChartsCoreOption {
  const seen = new Map<string, number>();
  return {
    animation: false,
    backgroundColor: '#ffffff',
    title: { ...titleOf(result), left: 'center', top: 12 },
    grid: { left: 80, right: 370, top: 90, bottom: 60 },
    legend: { orient: 'vertical', right: 16, top: 90, itemWidth: 36, itemGap: 7 },
    xAxis: {
      ...{ type: 'value', name: 'recall@10', nameLocation: 'middle', nameGap: 34 },
      ...{ min: RECALL_LEAST, max: 1, interval: 0.02 },
      axisLabel: { formatter: (value: number) => value.toFixed(2) },
    },
    yAxis: {
      ...{ type: 'log', name: 'queries/s, one thread', nameLocation: 'middle', nameGap: 56 },
      ...yRange(result.contenders),
      axisLabel: { formatter: (value: number) => value.toLocaleString('en-US') },
      minorSplitLine: { show: true },
    },
    series: result.contenders.map((contender) => {
      const nth = seen.get(contender.engine) ?? 0;
      seen.set(contender.engine, nth + 1);
      return lineOf(contender, nth, result.contenders.length <= LABELS_MOST);
    }),
  };
}

function titleOf({ case: name, data, machine, ...rest }: CaseResult) {
  const { count, dimensions } = data;
  const { cpu, cores, node, kernel } = machine;
  return {
    text: `${name}: ${count.toLocaleString('en-US')} x ${dimensions}, ${rest.distance}, one thread`,
    subtext:
      `${data.queries} queries, k ${rest.k}, median of ${rest.repeats} · ` +
      `${cpu}, ${cores} cores, Node ${node}, ${kernel} · ${rest.date.slice(0, 10)}`,
  };
}

/** The frontier; the name of the contender at its end, if wanted, besides the legend. */
function lineOf({ name, engine, points }: ContenderResult, nth: number, isLabelled: boolean) {
  const color = colourOf(engine);
  const frontier = paretoFrontier(points);
  return {
    ...{ name, type: 'line', symbolSize: 7, color },
    symbol: SYMBOLS[nth % SYMBOLS.length],
    lineStyle: { width: engine === 'leandex' ? 3 : 1.5, type: LINES[nth % LINES.length] },
    endLabel: { show: isLabelled, formatter: '{a}', fontSize: 10, color },
    labelLayout: { moveOverlap: 'shiftY' },
    data: frontier.map(({ recall, qps }) => [recall, Math.round(qps)]),
  };
}

/** Whole decades would leave half of the plot empty, so the ends are 1, 2 or 5 times a power. */
function yRange(contenders: readonly ContenderResult[]): { min: number; max: number } {
  const shown = contenders.flatMap(({ points }) =>
    points.filter(({ recall }) => recall >= RECALL_LEAST).map(({ qps }) => qps),
  );
  const speeds = shown.length > 0 ? shown : [1, 10];
  return { min: niceBelow(Math.min(...speeds)), max: niceAbove(Math.max(...speeds)) };
}

function niceBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [5, 2, 1].find((step) => step * power <= value)!;
}

function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value)!;
}
