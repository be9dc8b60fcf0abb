import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plotOption, renderPlot, writePlot } from '../../bench/plot.js';
import { writeResult } from '../../bench/result.js';
import { madeUpContender, madeUpResult } from './made-up.js';

const RESULT = madeUpResult([
  madeUpContender('leandex', 'leandex', 9000),
  madeUpContender('leandex', 'leandex <&> compact', 7000),
  madeUpContender('hnswlib-node', 'hnswlib M16', 1000),
  madeUpContender('new-one', 'somebody new', 1500),
]);

interface Option {
  yAxis: { min: number; max: number };
  series: { name: string; data: [number, number][]; color: string; lineStyle: { type: string } }[];
}

/** Names of the elements that are open at the end, which whole XML has none of. */
function openElements(xml: string): string[] {
  const open: string[] = [];
  for (const [, closing, name, rest] of xml.matchAll(/<(\/?)([a-zA-Z][\w:-]*)([^<>]*)>/g)) {
    if (closing === '/') expect(open.pop()).toBe(name);
    else if (!rest.endsWith('/')) open.push(name);
  }
  return open;
}

describe('the plot of a result', () => {
  const { series, yAxis } = plotOption(RESULT) as unknown as Option;

  test('has a line for each contender, through its frontier', () => {
    expect(series.map(({ name }) => name)).toEqual(RESULT.contenders.map(({ name }) => name));
    const points = [
      [0.85, 36_000],
      [0.96, 18_000],
      [0.99, 9000],
    ];
    expect(series[0].data).toEqual(points);
  });

  test('tells engines by colour and their contenders by the line', () => {
    const [ours, compact, theirs, other] = series;
    expect(compact.color).toBe(ours.color);
    expect(compact.lineStyle.type).not.toBe(ours.lineStyle.type);
    expect(new Set([ours, theirs, other].map(({ color }) => color)).size).toBe(3);
  });

  test('shows all speeds', () => {
    expect(yAxis).toMatchObject({ min: 1000, max: 50_000 });
  });

  test('is whole SVG with title, axes and legend', async () => {
    const svg = await renderPlot(RESULT);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.replace(/&(lt|gt|amp|quot|#\d+);/g, '')).not.toContain('&');
    expect(openElements(svg)).toEqual([]);
    const texts = [
      'made-up: 12,000 x 384, Cosine, one thread',
      'recall@10',
      'queries/s',
      '2 cores',
    ];
    for (const text of [...texts, 'hnswlib M16', 'somebody new', 'leandex &lt;&amp;&gt; compact']) {
      expect(svg).toContain(text);
    }
  });

  test('lies beside the JSON, and what some engines gave apart from what all gave', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'leandex-plot-test-'));
    try {
      const some = { ...RESULT, engines: ['leandex', 'zvec'] };
      expect(writeResult(folder, RESULT)).toBe(join(folder, 'made-up.json'));
      expect(await writePlot(folder, RESULT)).toBe(join(folder, 'made-up.svg'));
      expect(writeResult(folder, some)).toBe(join(folder, 'made-up.leandex.zvec.json'));
      expect(readFileSync(join(folder, 'made-up.svg'), 'utf8')).toContain('</svg>');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
