import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { chartsOf } from '../../../bench/suite/charts.js';
import { renderHtml } from '../../../bench/suite/html.js';
import { renderHead, renderMarkdown } from '../../../bench/suite/markdown.js';
import type { SuiteResult, TaskResult } from '../../../bench/suite/result.js';
import { runSuite } from '../../../bench/suite/run.js';
import { checkSuite, type Suite } from '../../../bench/suite/suite.js';
import { briefTable } from '../../../bench/suite/summary.js';
import { writeSuite } from '../../../bench/suite/write.js';
import { generateClusters } from '../../../datasets/generate.js';
import { writeNpy } from '../../../datasets/npy.js';
import { chromiumPath, launchChromium } from '../../browser/chromium.js';
import { requireFreshBuild } from '../compiled.js';

const DATA = {
  ...{ kind: 'generated', generator: 'manifold', count: 2600, dimensions: 24 },
  ...{ seed: 7, intrinsic: 6 },
} as const;
const ON_VECTORS = {
  ...{ data: DATA, queries: 40, repeats: 1, measureMs: 1 },
  contenders: ['leandex', 'leandex originals', 'hnswlib M16'],
};
const SIZE = 2600;

const scratch = mkdtempSync(join(tmpdir(), 'leandex-suite-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Rows of a cluster are the relevant documents of its queries. */
function judgedFolder(): string {
  const set = generateClusters({
    ...{ count: SIZE, queries: 30, dimensions: 16, seed: 3, clusters: 40, spread: 0.3 },
  });
  const lines = (labels: Uint32Array, name: string) =>
    Array.from(labels, (_, i) => `${name}${i}\n`).join('');
  const qrels = Array.from(set.queryLabels, (label, q) =>
    Array.from(set.labels, (of, d) => (of === label ? `q${q}\td${d}\t1\n` : '')).join(''),
  ).join('');
  const folder = join(scratch, 'judged');
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  writeFileSync(join(folder, 'corpus.ids.txt'), lines(set.labels, 'd'));
  writeFileSync(join(folder, 'queries.ids.txt'), lines(set.queryLabels, 'q'));
  writeFileSync(join(folder, 'qrels', 'test.tsv'), qrels);
  writeNpy(join(folder, 'corpus.npy'), [SIZE, 16], set.corpus);
  writeNpy(join(folder, 'queries.npy'), [30, 16], set.queries);
  return folder;
}

function suiteOf(folder: string): Promise<Suite> {
  const broken = join(scratch, 'broken.npy');
  writeFileSync(broken, 'no array');
  const judged = { ...ON_VECTORS, data: { kind: 'files', corpus: folder } };
  return checkSuite('tiny', {
    name: 'tiny',
    description: 'All kinds, <small>.',
    tasks: [
      { kind: 'ann', name: 'curves', ...ON_VECTORS, k: [10, 100], efs: [10, 100, 200] },
      { kind: 'ir', name: 'judged', ...judged, judgements: {}, ef: 150, efs: [100, 200] },
      { kind: 'filtered', name: 'filters', ...ON_VECTORS, shares: [0.5, 0.01], ef: 100, seed: 1 },
      { kind: 'churn', name: 'changes', ...ON_VECTORS, rounds: 2, share: 0.2, ef: 100, seed: 1 },
      { kind: 'multi', name: 'tokens', documents: 300, queries: 10, candidates: [10, 50], seed: 1 },
      { kind: 'kv', name: 'cache', cache: 'generated', layers: [0, 3], seed: 1 },
      {
        ...{ ...ON_VECTORS, kind: 'ann', name: 'broken', k: [10] },
        data: { kind: 'files', corpus: broken },
      },
      {
        ...ON_VECTORS,
        kind: 'ann',
        name: 'absent',
        k: [10],
        data: { kind: 'shared', folder: 'no' },
      },
    ],
  });
}

let result: SuiteResult;
const only = <Kind extends TaskResult['kind']>(kind: Kind) =>
  result.tasks.find((task) => task.kind === kind) as TaskResult & { kind: Kind };

beforeAll(async () => {
  requireFreshBuild();
  result = await runSuite(await suiteOf(judgedFolder()));
}, 300_000);

describe('the result of a suite', () => {
  test('says with what, on what and what was left out', () => {
    expect(result).toMatchObject({ suite: 'tiny', versions: { leandex: expect.any(String) } });
    expect(result.machine.node).toBe(process.versions.node);
    expect(result.skipped).toEqual([
      { task: 'absent', reason: expect.stringContaining('the data set no is absent') },
    ]);
    expect(result.failed).toEqual([
      { task: 'broken', reason: expect.stringContaining('broken.npy') },
    ]);
    for (const task of result.tasks) {
      expect(JSON.stringify(task)).toMatch(/"sha256":"[0-9a-f]{64}"/);
      expect(JSON.stringify(task)).toMatch(/"seed":\d/);
    }
  });

  test('has recall@10 and @100 of all contenders', () => {
    const { results } = only('ann');
    expect(results.map(({ k }) => k)).toEqual([10, 100]);
    for (const { k, contenders } of results) {
      expect(contenders.map(({ name }) => name)).toEqual(ON_VECTORS.contenders);
      for (const { points } of contenders) {
        expect(points[0]!.ef).toBeGreaterThanOrEqual(k);
        expect(points.at(-1)!.recall).toBeGreaterThan(0.9);
        const { quantiles } = points[0]!;
        expect(quantiles).toEqual(quantiles!.toSorted((a, b) => a - b));
      }
    }
  });

  test('has scores by judgements, which exact search bounds where clusters lie apart', () => {
    const { result: judged, funnel } = only('ir');
    expect(judged.exact!.Cosine.ndcgAt10).toBeGreaterThan(0.9);
    expect(funnel.map(({ stage }) => stage)).toEqual([
      ...['embedding', 'metric', 'index', 'compression'],
    ]);
    const lost = funnel.reduce((sum, stage) => sum + stage.lost, 0);
    expect(lost).toBeCloseTo(1 - funnel.at(-1)!.ndcgAt10, 12);
    for (const { points } of judged.contenders) {
      expect(points.at(-1)!.task!.ndcgAt10).toBeGreaterThan(0.9);
    }
  });

  test('has filters that give k results, those allowed', () => {
    const { contenders } = only('filtered');
    expect(contenders).toHaveLength(3);
    const ours = contenders.filter(({ name }) => name.startsWith('leandex'));
    for (const { points } of ours) {
      expect(points.map(({ allowed }) => allowed)).toEqual([1300, 1300, 26, 26]);
      for (const { complete, recall } of points) {
        expect(complete).toBe(1);
        expect(recall).toBeGreaterThan(0.85);
      }
    }
  });

  test('has changes after which nothing deleted is found', () => {
    for (const { points } of only('churn').contenders) {
      expect(points.map(({ round }) => round)).toEqual([0, 1, 2]);
      expect(points.map(({ turnover }) => turnover)).toEqual([
        0,
        expect.closeTo(0.3),
        expect.closeTo(0.6),
      ]);
      for (const { recall, ghosts } of points) {
        expect(ghosts).toBe(0);
        expect(recall).toBeGreaterThan(0.85);
      }
    }
  });

  test('has documents of several vectors, and caches', () => {
    const [exact] = only('multi').figures;
    expect(exact).toMatchObject({ method: 'exhaustive', recallAt10: 1 });
    for (const { keys, values, attention } of only('kv').figures) {
      expect(keys).toBeGreaterThan(0);
      expect(values).toBeLessThan(1.5);
      expect(attention).toBeNull();
    }
  });
});

describe('a suite that cannot run as a whole', () => {
  const small = join(scratch, 'small.npy');
  const none = join(scratch, 'none.npy');
  const tasksOf = (...tasks: object[]) =>
    checkSuite('parts', { name: 'parts', description: 'Some.', tasks });
  const curves = { ...ON_VECTORS, kind: 'ann', name: 'curves', k: [10], efs: [10] };
  const filters = { ...ON_VECTORS, kind: 'filtered', name: 'filters', shares: [0.5] };
  const onlyHnswlib = { contenders: ['hnswlib M16'], ef: 20, seed: 1 };

  test('with chosen engines leaves out tasks of others and absent data', async () => {
    const absent = { ...curves, name: 'absent', data: { kind: 'shared', folder: 'no' } };
    const suite = await tasksOf(absent, { ...filters, ...onlyHnswlib }, curves);
    const { tasks, skipped, failed } = await runSuite(suite, { engines: ['leandex'] });
    expect(tasks.map(({ name }) => name)).toEqual(['curves']);
    expect(skipped).toEqual([
      { task: 'absent', reason: expect.stringContaining('the data set no is absent') },
      { task: 'filters', reason: 'none of the chosen engines takes part in it' },
    ]);
    expect(failed).toEqual([]);
  });

  test('with an engine that no task has is refused', async () => {
    const suite = await tasksOf(curves);
    await expect(runSuite(suite, { engines: ['leandex', 'zvec'] })).rejects.toThrow(
      /must be one of leandex, hnswlib-node/,
    );
  });

  test('at a k that the data are too few for keeps what it measured before', async () => {
    writeNpy(
      small,
      [60, 4],
      Float32Array.from({ length: 240 }, (_, i) => Math.cos(i)),
    );
    const data = { kind: 'files', corpus: small, queriesFile: small };
    const suite = await tasksOf({ ...curves, data, k: [10, 100], efs: [10, 100] });
    const { tasks, failed } = await runSuite(suite);
    expect(tasks[0]).toMatchObject({ results: [{ k: 10, data: { count: 60 } }] });
    const reason = expect.stringMatching(/vectors in small.npy must be at least 100, the k.* 60/);
    expect(failed).toEqual([{ task: 'curves at k 100', reason }]);
  });

  test('without queries says so', async () => {
    writeNpy(none, [0, 4], new Float32Array(0));
    writeNpy(
      small,
      [60, 4],
      Float32Array.from({ length: 240 }, (_, i) => Math.cos(i)),
    );
    const data = { kind: 'files', corpus: small, queriesFile: none };
    for (const task of [curves, { ...filters, ...onlyHnswlib }]) {
      const suite = await tasksOf({ ...task, data });
      await expect(runSuite(suite)).rejects.toThrow(/number of queries .* must be at least 1/);
    }
  });
});

describe('the reports', () => {
  const folder = join(scratch, 'report');

  test('are three whole files', () => {
    writeSuite(folder, result);
    expect(readdirSync(folder).sort()).toEqual(['report.html', 'report.md', 'results.json']);
    expect(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))).toEqual(result);
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toBe(renderMarkdown(result));
  });

  test('in Markdown have a section a task, and tables whose rows are of one length', () => {
    const text = renderMarkdown(result);
    expect(text.match(/^## /gm)).toHaveLength(6);
    for (const [block] of text.matchAll(/(^\|.*\n?)+/gm)) {
      const widths = new Set(
        block
          .trim()
          .split('\n')
          .map((line) => line.split('|').length),
      );
      expect(widths.size).toBe(1);
    }
  });

  test('say when the machine was busy', () => {
    const head = (loadAverage: number) =>
      renderHead({ ...result, machine: { ...result.machine, cores: 2, loadAverage } });
    expect(head(2)).not.toContain('others were at work');
    expect(head(2.1)).toContain('2.1, more than there are cores: others were at work');
  });

  test('begin with a line for each task and k, whose figures are those of the result', () => {
    const rows = briefTable(result.tasks)!.split('\n').slice(2);
    expect(rows.map((row) => row.split(/[|,]/)[1]!.trim())).toEqual([
      ...['curves', 'curves', 'judged', 'filters', 'changes', 'tokens', 'cache'],
    ]);
    const [atTen, , judged, filters] = rows;
    const { contenders, ratios } = only('ann').results[0]!;
    const ours = ratios.find(({ contender }) => contenders[contender]!.name === 'leandex')!;
    expect(atTen).toContain(`${ours.qps['0.95']!.toFixed(1)}x hnswlib-node`);
    const { ndcgAt10 } = only('ir').result.contenders[0]!.points.at(-1)!.task!;
    expect(judged).toContain(`| ${ndcgAt10.toFixed(4)} `);
    const recalls = only('filtered').contenders[0]!.points.map(({ recall }) => recall);
    expect(filters).toContain(`| ${Math.min(...recalls).toFixed(3)} `);
    const others = result.tasks.filter(({ kind }) => kind === 'filtered' || kind === 'churn');
    const without = others.map((task) => ({ ...task, contenders: [] }) as TaskResult);
    expect(briefTable(without)).toBeUndefined();
  });

  test('in HTML need nothing else, have a plot for each chart and every table', () => {
    const whole = renderHtml(result);
    // Without the code of the library, where anything may stand.
    const html = whole.replaceAll(/<script>.*?<\/script>/gs, '');
    expect(whole.length - html.length).toBeGreaterThan(100_000);
    expect(html).not.toMatch(/<(script|link|img)[^>]*\s(src|href)=/);
    expect(html).not.toContain('@import');
    const charts = chartsOf(result).flat();
    expect(html.split('<div class="chart">')).toHaveLength(charts.length + 1);
    const json = /<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(html)![1]!;
    expect(JSON.parse(json)).toEqual(
      JSON.parse(JSON.stringify(charts.map(({ option }) => option))),
    );
    expect(html.split('<table>').length).toBe(renderMarkdown(result).split(/^\| [-]/m).length);
    expect(html).toContain('All kinds, &lt;small&gt;.');
    expect(html).not.toContain('<small>');
  });

  test('in HTML are whole whatever the texts in them are', () => {
    const name = '<!-- </script><b>';
    const evil = {
      ...result,
      description: 'One.\n\n## Two\n\n| three',
      skipped: [{ task: 'absent', reason: 'four\n\n## five' }],
      tasks: result.tasks.map((task) =>
        task.kind === 'churn'
          ? { ...task, contenders: task.contenders.map((each) => ({ ...each, name })) }
          : task,
      ),
    };
    const html = renderHtml(evil).replaceAll(/<script>.*?<\/script>/gs, '');
    expect(html.match(/<h2>/g)).toHaveLength(6);
    expect(html).toContain('One. ## Two | three');
    expect(html).toContain('four ## five');
    expect(html).not.toContain('<b>');
    const json = /id="charts">(.*?)<\/script>/s.exec(html)![1]!;
    expect(JSON.stringify(JSON.parse(json))).toContain(name);
    expect(renderMarkdown(evil).match(/^## /gm)).toHaveLength(6);
  });

  test('say what exact search by the distance in use finds, not by the best one', () => {
    const judged = only('ir');
    const { exact } = judged.result;
    const better = { ...exact!.Dot, ndcgAt10: 0.99995 };
    const task = { ...judged, result: { ...judged.result, exact: { ...exact!, Dot: better } } };
    const row = briefTable([task])!.split('\n')[2];
    expect(row).toContain(`exact search ${exact!.Cosine.ndcgAt10.toFixed(4)}`);
  });

  test('leave nothing half written behind', () => {
    const taken = join(scratch, 'taken');
    // A folder in the place of the second file.
    mkdirSync(join(taken, 'report.md'), { recursive: true });
    expect(() => writeSuite(taken, result)).toThrow(/EISDIR|EEXIST|ENOTEMPTY/);
    expect(readdirSync(taken).sort()).toEqual(['report.md', 'results.json']);
  });

  test.skipIf(chromiumPath() === undefined)(
    'in HTML are drawn by a browser without a complaint or a request',
    { timeout: 120_000 },
    async () => {
      const [, , path] = writeSuite(folder, result);
      const browser = await launchChromium(chromiumPath()!);
      onTestFinished(() => browser.close());
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) complaints.push(request.url());
      });
      await page.goto(`file://${path}`);
      expect(complaints).toEqual([]);
      const drawn = await page.locator('.chart svg').count();
      expect(drawn).toBe(chartsOf(result).flat().length);
      // The legend has the names of the lines.
      expect(await page.locator('.chart').first().innerText()).toContain('hnswlib M16');
    },
  );
});
