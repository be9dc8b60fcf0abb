import { pathOf, requestResult } from './api.js';
import { lineChart } from './chart.js';
import { readInfo, shownName, using, wireName } from './collection.js';
import { h, labelled, problem, show, table } from './dom.js';
import { form, numberBox, selectBox } from './form.js';
import { percentText, secondsText } from './format.js';
import { mean, recallOf, type Scored } from './recall.js';

const NOTE =
  'Time is the server’s for a batch, shared out over its queries. What is missing at a large ef is lost by the codes: Rescore ranks the best by their stored vectors.';
const EFS = '10, 20, 40, 80, 160, 320';
/** Searches of one request. */
const BATCH = 25;
/** That an exact search of so many may take where there are many points. */
const SECONDS = 600;
/** Results of the exact search beyond those that are counted, to see which are as good as the last. */
const TIES = 10;

interface Asked {
  name: string;
  vector: string;
  ids: Scored['id'][];
  k: number;
  /** Whether the best are ranked anew by their stored vectors. */
  isRescored: boolean;
  signal: AbortSignal;
}

interface Measured {
  ef: number;
  recall: number;
  seconds: number;
}

export async function showRecall(
  place: HTMLElement,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { vectors } = await readInfo(name);
  const vector = selectBox(Object.keys(vectors).map((one) => [wireName(one), shownName(one)]));
  const sample = numberBox(100, 1, 1000);
  const k = numberBox(10, 1, 100);
  const efs = h('input', { type: 'text', value: EFS });
  const rescore = h('input', { type: 'checkbox' });
  const button = h('button', { type: 'submit', class: 'primary' }, 'Measure');
  const results = h('div', {});
  const run = async () => {
    button.disabled = true;
    try {
      const ids = await sampleIds(name, vector.value, sample.valueAsNumber);
      const isRescored = rescore.checked;
      const asked = { name, vector: vector.value, ids, k: k.valueAsNumber, isRescored, signal };
      await measure(results, asked, readEfs(efs.value));
    } catch (error) {
      if (!signal.aborted) show(results, problem(error));
    }
    button.disabled = false;
  };
  const hint =
    'Stored points are the queries, each looking for others: how many of those that an exact search finds are found?';
  show(
    place,
    form(
      () => void run(),
      h('p', { class: 'muted' }, hint),
      h(
        'div',
        { class: 'row' },
        labelled('Vector', vector),
        labelled('Queries', sample),
        labelled('Results (k)', k),
        labelled('ef', efs),
        labelled('Rescore', rescore),
        button,
      ),
    ),
    results,
  );
}

/** A random sample of the points that have the vector. */
async function sampleIds(name: string, vector: string, limit: number): Promise<Scored['id'][]> {
  const filter = { must: [{ has_vector: vector }] };
  const body = { query: { sample: 'random' }, filter, limit };
  const path = `${pathOf(name)}/points/query`;
  const { result } = await requestResult<{ points: Scored[] }>('POST', path, body);
  return result.points.map(({ id }) => id);
}

function readEfs(text: string): number[] {
  const efs = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
  const isFine = efs.length > 0 && efs.every((ef) => Number.isInteger(ef) && ef > 0);
  if (!isFine) throw new Error('ef: whole numbers above 0, with commas between them');
  return [...new Set(efs)].sort((a, b) => a - b);
}

async function measure(place: HTMLElement, asked: Asked, efs: readonly number[]): Promise<void> {
  const { k, ids, isRescored } = asked;
  const say = (what: string) => show(place, h('p', { class: 'muted', role: 'status' }, what));
  say(`Exact search of ${ids.length} queries …`);
  const truth = await searchAll(asked, k + TIES, { exact: true });
  const measured: Measured[] = [];
  for (const ef of efs) {
    say(`ef ${ef} …`);
    const { found, seconds } = await searchAll(asked, k, {
      hnsw_ef: ef,
      ...(isRescored && { quantization: { rescore: true } }),
    });
    const recall = mean(found.map((hits, i) => recallOf(hits, truth.found[i]!, k)));
    measured.push({ ef, recall, seconds });
  }
  if (!asked.signal.aborted) showMeasured(place, asked, measured, truth.seconds);
}

/** The results of all queries, and the mean seconds of one on the server. */
async function searchAll(
  { name, vector, ids, signal }: Asked,
  limit: number,
  params: object,
): Promise<{ found: Scored[][]; seconds: number }> {
  const found: Scored[][] = [];
  let seconds = 0;
  for (let from = 0; from < ids.length; from += BATCH) {
    if (signal.aborted) throw new Error('The page was left.');
    const searches = ids
      .slice(from, from + BATCH)
      .map((query) => ({ query, ...using(vector), limit, params }));
    const path = `${pathOf(name)}/points/query/batch?timeout=${SECONDS}`;
    const { result, time } = await requestResult<{ points: Scored[] }[]>('POST', path, {
      searches,
    });
    found.push(...result.map(({ points }) => points));
    seconds += time;
  }
  return { found, seconds: seconds / Math.max(1, ids.length) };
}

function showMeasured(
  place: HTMLElement,
  { ids, k }: Asked,
  measured: readonly Measured[],
  exactSeconds: number,
): void {
  const rows = measured.map(({ ef, recall, seconds }) => [
    String(ef),
    percentText(recall, 2),
    secondsText(seconds),
  ]);
  const points = measured.map(({ ef, recall }) => ({ x: ef, y: recall }));
  const least = Math.min(1, ...points.map(({ y }) => y));
  const title = `Recall at ${k} against ef, ${ids.length} stored points as queries`;
  show(
    place,
    lineChart({
      title,
      series: [{ name: 'recall', points }],
      xText: (x) => `ef ${x}`,
      yText: (y) => percentText(y, least > 0.9 ? 1 : 0),
      // From the next tenth below, so that what differs is seen.
      yMin: Math.max(0, Math.floor(10 * least - 0.001) / 10),
      yMax: 1,
      isLogX: true,
      xTicks: points.map(({ x }) => x),
      hasDots: true,
    }),
    table(
      'Recall and time',
      ['ef', `Recall at ${k}`, 'Time a query'],
      [...rows, ['exact', percentText(1, 2), secondsText(exactSeconds)]],
    ),
    h('p', { class: 'muted' }, NOTE),
  );
}
