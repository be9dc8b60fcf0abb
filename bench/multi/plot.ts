import type { EChartsCoreOption } from 'echarts';
import { renderSvg } from '../plot.js';
import { DEPTHS } from './candidates.js';
import type { EndToEndFigures } from './end-to-end.js';
import type { MultiResult } from './result.js';

const COLOURS = [
  ...['#d1242f', '#1f6feb', '#1a7f37', '#9a6700', '#8250df'],
  ...['#57606a', '#bf3989', '#0a7ea4', '#6e4300', '#000000'],
];

/** Recall@10 of the exact ten best among so many candidates, a line for each method. */
export function drawCandidates(result: MultiResult): Promise<string> {
  const sizes = [...new Set(result.candidates.map(({ dimensions }) => dimensions))];
  const series = result.candidates.map(({ method, dimensions, bytes, recall }) => ({
    ...{ name: nameOf(method, dimensions, bytes), type: 'line', symbolSize: 6 },
    color: COLOURS[sizes.indexOf(dimensions) % COLOURS.length],
    lineStyle: {
      width: method.includes('codes') ? 3 : 1.5,
      type: method.startsWith('plain') ? 'dotted' : method.includes('codes') ? 'solid' : 'dashed',
    },
    data: recall.map((share, i) => [DEPTHS[i], Number(share.toFixed(4))]),
  }));
  return renderSvg(
    {
      ...frame(result, 'recall@10 of the candidates'),
      xAxis: {
        type: 'log',
        name: 'candidates',
        nameLocation: 'middle',
        nameGap: 34,
        min: 10,
        max: DEPTHS.at(-1),
      },
      yAxis: { type: 'value', name: 'recall@10', scale: true, max: 1 },
      series,
    },
    series.length,
  );
}

/** Quality against speed on one thread: nDCG@10 where there are judgements, else recall@10. */
export function drawEndToEnd(result: MultiResult): Promise<string> {
  const isJudged = result.endToEnd.some(({ ndcgAt10 }) => ndcgAt10 !== undefined);
  const quality = ({ ndcgAt10, recallAt10 }: EndToEndFigures) =>
    Number((isJudged ? ndcgAt10! : recallAt10).toFixed(4));
  const lines = new Map<string, EndToEndFigures[]>();
  for (const each of result.endToEnd) {
    const { method, fdeDimensions, tokenBits } = each;
    const name = `${method}${fdeDimensions ? ` ${fdeDimensions}` : ''}, tokens of ${tokenBits} bits`;
    lines.set(name, [...(lines.get(name) ?? []), each]);
  }
  const series = [...lines].map(([name, figures], i) => ({
    ...{ name, type: 'line', symbolSize: 8, color: COLOURS[i % COLOURS.length] },
    data: figures.map((each) => [quality(each), Math.round(each.queriesPerSecond)]),
  }));
  const axis = isJudged ? 'nDCG@10' : 'recall@10';
  return renderSvg(
    {
      ...frame(result, `${axis} against queries/s, one thread`),
      xAxis: { type: 'value', name: axis, nameLocation: 'middle', nameGap: 34, scale: true },
      yAxis: { type: 'log', name: 'queries/s' },
      series,
    },
    series.length,
  );
}

function nameOf(method: string, dimensions = 0, bytes = 0): string {
  if (dimensions === 0) return method;
  return method.includes('codes')
    ? `${dimensions}: codes of ${bytes} B`
    : `${dimensions}: ${method}`;
}

function frame({ name, documents, tokens, machine, date }: MultiResult, what: string) {
  const { cpu, cores, node } = machine;
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: '#ffffff',
    title: {
      text: `${name}: ${what}`,
      subtext: `${documents} documents, ${tokens} tokens · ${cpu}, ${cores} cores, Node ${node} · ${date.slice(0, 10)}`,
      left: 'center',
      top: 12,
    },
    grid: { left: 80, right: 440, top: 90, bottom: 60 },
    legend: { orient: 'vertical', right: 8, top: 90, itemWidth: 36, itemGap: 7 },
  };
  return option;
}
