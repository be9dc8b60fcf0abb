import { readFileSync } from 'node:fs';
import { LeandexError } from '../../src/base/errors.js';
import { packageEntry } from '../packages.js';
import { chartsOf } from './charts.js';
import { renderHead, renderTask, titleOf } from './markdown.js';
import type { SuiteResult } from './result.js';

/** The build of echarts with lines, bars, tooltips and legends: .7 MB. */
const LIBRARY = 'echarts/dist/echarts.common.min.js';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; margin: 0 auto; max-width: 1080px; padding: 24px; }
h1, h2, h3 { line-height: 1.25; } h2 { border-top: 1px solid #d1d9e0; margin-top: 40px; padding-top: 24px; }
nav a { display: inline-block; margin-right: 16px; }
figure { margin: 24px 0; } figcaption { font-weight: 600; } .chart { height: 440px; width: 100%; }
details { margin: 16px 0; } summary { cursor: pointer; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #d1d9e0; padding: 3px 8px; text-align: left; }
td.number, th.number { text-align: right; white-space: nowrap; } th { background: #f6f8fa; }
`;

/** Draws what the page holds; a hidden plot has no size until it is seen. */
const SCRIPT = `
const options = JSON.parse(document.getElementById('charts').textContent);
document.querySelectorAll('.chart').forEach((element, i) => {
  const chart = echarts.init(element, null, { renderer: 'svg' });
  chart.setOption(options[i]);
  addEventListener('resize', () => chart.resize());
});
`;

/**
 * A suite's result as one page that needs nothing else, neither files nor a network: report.html.
 * Tables are those of report.md; under each task are its plots, with values where one points and
 * series to turn on and off.
 * @throws LeandexError `NOT_FOUND` when echarts, a development dependency, is not installed.
 */
export function renderHtml(result: SuiteResult): string {
  const charts = chartsOf(result);
  const { tasks } = result;
  const ids = tasks.map((_, i) => `task-${i + 1}`);
  const links = tasks.map((task, i) => `<a href="#${ids[i]}">${escaped(titleOf(task))}</a>`);
  const body = tasks.map((task, i) => {
    const figures = charts[i].map(
      (chart) =>
        `<figure><figcaption>${escaped(chart.title)}</figcaption><div class="chart"></div></figure>`,
    );
    return [
      `<section id="${ids[i]}"><h2>${escaped(titleOf(task))}</h2>`,
      ...figures,
      `<details open><summary>Tables</summary>${toHtml(renderTask(task))}</details></section>`,
    ].join('\n');
  });
  const options = JSON.stringify(charts.flat().map(({ option }) => option));
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>leandex bench: ${escaped(result.suite)}</title><style>${STYLE}</style></head><body>`,
    toHtml(renderHead(result)),
    `<nav>${links.join('\n')}</nav>`,
    ...body,
    // JSON may write any character so; it has no other place for this one than its strings.
    `<script type="application/json" id="charts">${options.replaceAll('<', '\\u003c')}</script>`,
    `<script>${inScript(library())}</script>`,
    `<script>${SCRIPT}</script>`,
    '</body></html>\n',
  ].join('\n');
}

function library(): string {
  try {
    return readFileSync(packageEntry(LIBRARY), 'utf8');
  } catch (cause) {
    throw new LeandexError('NOT_FOUND', 'the report needs echarts: npm install', { cause });
  }
}

/** Within a script element nothing may look like its end, or like a comment of HTML. */
function inScript(code: string): string {
  return code.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--');
}

/** The Markdown of the report, which has headings, paragraphs, lists and tables alone. */
function toHtml(markdown: string): string {
  const blocks = markdown.split(/\n{2,}/).filter((block) => block.trim() !== '');
  return blocks
    .map((block) => {
      const lines = block.trim().split('\n');
      const heading = /^(#+) (.*)$/.exec(lines[0]);
      if (heading !== null) {
        const tag = `h${heading[1].length}`;
        return `<${tag}>${escaped(heading[2])}</${tag}>`;
      }
      if (/^\|[\s:|-]+\|$/.test(lines[1] ?? '')) return tableOf(lines);
      if (lines[0].startsWith('- ')) {
        return `<ul>${lines.map((line) => `<li>${escaped(line.slice(2))}</li>`).join('')}</ul>`;
      }
      return `<p>${lines.map(escaped).join('<br>')}</p>`;
    })
    .join('\n');
}

function tableOf([head, rule, ...rows]: readonly string[]): string {
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const numeric = cells(rule).map((cell) => cell.endsWith(':'));
  const row = (line: string, tag: 'th' | 'td') => {
    const each = cells(line).map((cell, i) => {
      const kind = numeric[i] ? ' class="number"' : '';
      return `<${tag}${kind}>${escaped(cell)}</${tag}>`;
    });
    return `<tr>${each.join('')}</tr>`;
  };
  const body = rows.map((line) => row(line, 'td')).join('');
  return `<div class="wide"><table><thead>${row(head, 'th')}</thead><tbody>${body}</tbody></table></div>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
