import type { EChartsCoreOption } from 'echarts';
import { paretoFrontier } from '../frontier.js';
import { colourOf } from '../plot.js';
import { type CaseResult, QUANTILES } from '../result.js';
import type { SuiteResult, TaskResult } from './result.js';

/** A plot of the report; its options are JSON, for the page draws it. */
export interface Chart {
  readonly title: string;
  readonly option: EChartsCoreOption;
}

interface Line {
  readonly name: string;
  readonly engine?: string;
  readonly data: readonly (readonly [number, number])[];
}

interface Axis {
  readonly name: string;
  readonly type?: 'value' | 'log';
  readonly min?: number;
  readonly max?: number;
}

/** The plots of each task, in its order. */
export function chartsOf({ tasks }: SuiteResult): Chart[][] {
  return tasks.map(chartsOfTask);
}

function chartsOfTask(task: TaskResult): Chart[] {
  switch (task.kind) {
    case 'ann':
      return task.results.flatMap((result, i) => (i === 0 ? curves(result) : [frontier(result)]));
    case 'ir':
      return [funnelChart(task), judgedChart(task.result)];
    case 'filtered':
      return filteredCharts(task);
    case 'churn':
      return [churnChart(task)];
    case 'multi':
      return [multiChart(task)];
    case 'kv':
      return [kvChart(task)];
  }
}

function curves(result: CaseResult): Chart[] {
  const { contenders } = result;
  return [
    frontier(result),
    bars(
      'Build, seconds (threads differ: see the table)',
      contenders,
      contenders.map((each) => each.buildSeconds),
    ),
    bars(
      'Bytes a vector that a search touches',
      contenders,
      contenders.map((each) => each.bytesPerVector.total),
    ),
    latencies(result),
  ];
}

function frontier({ k, contenders }: CaseResult): Chart {
  const series = contenders.map(({ name, engine, points }) => ({
    ...{ name, engine },
    data: paretoFrontier(points).map(({ recall, qps }) => [recall, Math.round(qps)] as const),
  }));
  return lines(
    `Queries/s over recall@${k}, one thread; up and to the right is better`,
    { name: `recall@${k}`, max: 1 },
    { name: 'queries/s', type: 'log' },
    series,
  );
}

/** The latency that a share of the searches does not exceed, at a recall of .95. */
function latencies({ k, contenders }: CaseResult): Chart {
  const series = contenders.flatMap(({ name, engine, latency }) => {
    const quantiles = latency?.quantiles;
    if (quantiles === undefined) return [];
    return [{ name, engine, data: quantiles.map((us, i) => [100 * QUANTILES[i], us] as const) }];
  });
  return lines(
    `Latency at the least beam width with a recall@${k} of .95`,
    { name: '% of the searches', min: 0, max: 100 },
    { name: 'at most µs', type: 'log' },
    series,
  );
}

function funnelChart({ funnel, ef }: TaskResult & { kind: 'ir' }): Chart {
  const left = funnel.map(({ ndcgAt10 }) => round(ndcgAt10));
  const lost = funnel.map((stage) => round(Math.max(0, stage.lost)));
  const category = { type: 'category', data: funnel.map(({ stage, by }) => `${stage}: ${by}`) };
  return {
    title: `Where nDCG@10 is lost, stage by stage, ef ${ef}`,
    option: {
      ...COMMON,
      grid: { ...GRID, left: 310 },
      legend: { top: 8 },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: {
        type: 'value',
        min: 0,
        max: 1,
        name: 'nDCG@10',
        nameLocation: 'middle',
        nameGap: 28,
      },
      yAxis: { ...category, inverse: true, axisLabel: { width: 290, overflow: 'truncate' } },
      series: [
        {
          name: 'left',
          type: 'bar',
          stack: 'one',
          data: left,
          color: '#1a7f37',
          label: { show: true },
        },
        { name: 'lost in this stage', type: 'bar', stack: 'one', data: lost, color: '#d1242f' },
      ],
    },
  };
}

function judgedChart({ contenders }: CaseResult): Chart {
  const series = contenders.map(({ name, engine, points }) => ({
    ...{ name, engine },
    data: points.map(({ task, qps }) => [round(task!.ndcgAt10), Math.round(qps)] as const),
  }));
  const y = { name: 'queries/s', type: 'log' } as const;
  return lines('Queries/s over nDCG@10, one thread', { name: 'nDCG@10' }, y, series);
}

function filteredCharts({ contenders }: TaskResult & { kind: 'filtered' }): Chart[] {
  const x = { name: '% of the vectors allowed', type: 'log' } as const;
  const seriesBy = (value: 'recall' | 'qps') =>
    contenders.flatMap(({ name, points }) =>
      [false, true].map((far) => ({
        name: `${name}, ${far ? 'far' : 'at random'}`,
        data: points
          .filter((point) => point.far === far)
          .map((point) => [100 * point.share, round(point[value])] as const),
      })),
    );
  return [
    lines('Recall@10 with a filter', x, { name: 'recall@10', max: 1 }, seriesBy('recall')),
    lines('Queries/s with a filter', x, { name: 'queries/s', type: 'log' }, seriesBy('qps')),
  ];
}

function churnChart({ contenders }: TaskResult & { kind: 'churn' }): Chart {
  const series = contenders.map(({ name, points }) => ({
    name,
    data: points.map(({ turnover, recall }) => [round(turnover), round(recall)] as const),
  }));
  const x = { name: 'vectors changed, as a multiple of those in the index' };
  return lines('Recall@10 after changes, at one beam width', x, { name: 'recall@10' }, series);
}

function multiChart({ figures }: TaskResult & { kind: 'multi' }): Chart {
  const names = [
    ...new Set(figures.map(({ method, tokenBits }) => `${method}, ${tokenBits} bits`)),
  ];
  const series = names.map((name) => ({
    name,
    data: figures
      .filter(({ method, tokenBits }) => `${method}, ${tokenBits} bits` === name)
      .map((row) => [round(row.recallAt10), round(row.queriesPerSecond)] as const),
  }));
  const y = { name: 'queries/s', type: 'log' } as const;
  return lines(
    'Documents of several vectors, against exact MaxSim',
    { name: 'recall@10', max: 1 },
    y,
    series,
  );
}

function kvChart({ figures }: TaskResult & { kind: 'kv' }): Chart {
  const names = [...new Set(figures.map(({ method }) => method))];
  const series = names.map((name) => ({
    name,
    data: figures
      .filter(({ method }) => method === name)
      .map((row) => [round(row.level), round((row.keys + row.values) / 2)] as const),
  }));
  const y = { name: 'relative error', type: 'log' } as const;
  return lines(
    'Errors of keys and values, means, bases counted',
    { name: 'times smaller' },
    y,
    series,
  );
}

const COMMON = { animation: false, backgroundColor: '#ffffff' };
const GRID = { left: 80, right: 40, top: 80, bottom: 60 };
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect'];
const DASHES = ['solid', 'dashed', 'dotted'];

/** Every series is toggled by its name, every point tells its numbers. */
function lines(title: string, x: Axis, y: Axis, series: readonly Line[]): Chart {
  const seen = new Map<string, number>();
  return {
    title,
    option: {
      ...COMMON,
      grid: GRID,
      tooltip: { trigger: 'item' },
      legend: { top: 8, left: 'center' },
      xAxis: { ...axis(x), nameGap: 30 },
      yAxis: { ...axis(y), nameGap: 58 },
      series: series.map(({ name, engine, data }) => {
        const nth = seen.get(engine ?? '') ?? 0;
        seen.set(engine ?? '', nth + 1);
        return {
          ...{ name, type: 'line', symbolSize: 8, data },
          symbol: SYMBOLS[nth % SYMBOLS.length],
          lineStyle: { width: 2, type: DASHES[nth % DASHES.length] },
          ...(engine !== undefined && { color: colourOf(engine) }),
        };
      }),
    },
  };
}

function bars(
  title: string,
  of: readonly { readonly name: string; readonly engine: string }[],
  values: readonly number[],
): Chart {
  const data = values.map((value, i) => ({
    value: round(value),
    itemStyle: { color: colourOf(of[i].engine) },
  }));
  return {
    title,
    option: {
      ...COMMON,
      grid: { ...GRID, left: 170, top: 20 },
      tooltip: { trigger: 'item' },
      xAxis: { type: 'value' },
      yAxis: { type: 'category', data: of.map(({ name }) => name), inverse: true },
      series: [{ type: 'bar', data, label: { show: true, position: 'right' } }],
    },
  };
}

function axis({ name, type = 'value', min, max }: Axis) {
  const ends = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  return { name, type, nameLocation: 'middle', scale: true, ...ends };
}

/** Four digits: the tables say more. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
