import type { CollectionInfo, VectorInfo } from '../../../db/info.js';
import { pathOf, request, requestResult } from './api.js';
import { lineChart, partsBar } from './chart.js';
import { memoryParts, nativePath, readInfo, shownName, wireName } from './collection.js';
import { statusOf } from './collections-view.js';
import { confirmed } from './dialog.js';
import { type Child, h, problem, refresh, show, table } from './dom.js';
import { bytesText, numberText, percentText } from './format.js';
import { everyFewSeconds } from './timer.js';

interface Spectrum {
  dimensions: number;
  sampled: number;
  energyKept: number[];
}

export async function showOverview(
  place: HTMLElement,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const state = h('div', {});
  const spectra = h('div', {});
  const info = await readInfo(name);
  show(place, state, spectra, actions(name));
  void showSpectra(spectra, name, info, signal);
  await everyFewSeconds(3, signal, async () => {
    const latest = await readInfo(name);
    if (!signal.aborted) showState(state, latest);
  });
}

function showState(place: HTMLElement, info: CollectionInfo): void {
  const { vectors, sparseVectors, payloadIndexes, textIndexes, bytes } = info;
  const fact = (term: string, value: Child) => h('div', {}, h('dt', {}, term), h('dd', {}, value));
  const indexes = [
    ...Object.entries(payloadIndexes).map(([field, { schema, points }]) => [
      field,
      typeof schema === 'string' ? schema : schema.type,
      numberText(points),
    ]),
    ...Object.entries(textIndexes).map(([field, { tokenizer, isWhole }]) => [
      field,
      `full text, ${tokenizer}`,
      isWhole ? 'all' : 'being made',
    ]),
  ];
  const sparse = Object.entries(sparseVectors).map(([name, { count, indices, values }]) => [
    shownName(name),
    ...[count, indices, values].map(numberText),
  ]);
  refresh(
    place,
    h(
      'dl',
      { class: 'facts' },
      fact('Status', statusOf(info)),
      fact('Points', numberText(info.count)),
      fact('Memory', bytesText(bytes.memory)),
      fact('Disk', bytesText(bytes.disk)),
      fact('Writes so far', numberText(info.version)),
    ),
    partsBar('Memory by part', memoryParts(info), bytesText),
    table(
      'Vectors',
      ['Name', 'Size', 'Distance', 'Points', 'In the graph', 'Codes', 'Bytes each', 'Energy kept'],
      Object.entries(vectors).map(vectorRow),
    ),
    sparse.length > 0 && table('Sparse vectors', ['Name', 'Points', 'Indices', 'Values'], sparse),
    indexes.length > 0 && table('Indexes of payloads', ['Field', 'Kind', 'Points'], indexes),
  );
}

function vectorRow([name, info]: [string, VectorInfo]): Child[] {
  const { size, distance, count, indexed, graph, energyMissed } = info;
  const facts = [
    shownName(name),
    numberText(size),
    distance,
    numberText(count),
    numberText(indexed),
  ];
  if (!graph) return [...facts, 'float32, compared exactly', bytesText(4 * size), '–'];
  const { primaryDimensions, primaryBits, secondaryBits, bytesPerVector } = graph;
  return [
    ...facts,
    `${primaryDimensions} × ${primaryBits} bit, re-rank ${secondaryBits === 'nested' ? secondaryBits : `${secondaryBits} bit`}`,
    numberText(Math.round(bytesPerVector.total)),
    percentText(1 - (energyMissed ?? 1 - graph.energyKept)),
  ];
}

async function showSpectra(
  place: HTMLElement,
  name: string,
  { vectors }: CollectionInfo,
  signal: AbortSignal,
): Promise<void> {
  for (const [field, { graph, size, count }] of Object.entries(vectors)) {
    if (count < 2) continue;
    const waiting = h(
      'p',
      { class: 'muted' },
      `The spectrum of ${shownName(field)} is being measured …`,
    );
    place.append(waiting);
    const query = new URLSearchParams({ using: wireName(field), sample: '1000' });
    try {
      const spectrum = await request<Spectrum>('GET', `${nativePath(name)}/spectrum?${query}`);
      if (signal.aborted) return;
      waiting.replaceWith(spectrumChart(field, spectrum, size, graph?.primaryDimensions));
    } catch (error) {
      waiting.replaceWith(problem(error));
    }
  }
}

function spectrumChart(
  field: string,
  { sampled, energyKept }: Spectrum,
  size: number,
  kept: number | undefined,
): HTMLElement {
  const points = energyKept.map((y, i) => ({ x: i + 1, y }));
  // What fewer rows span is less than what there may be.
  const few = sampled < size ? ', fewer than dimensions: the truth is lower' : '';
  const title = `Energy kept by so many dimensions: ${shownName(field)}, ${numberText(sampled)} vectors${few}`;
  const isShown = kept !== undefined && kept < size && kept <= points.length;
  return lineChart({
    title,
    series: [{ name: 'energy kept', points: [{ x: 0, y: 0 }, ...points] }],
    xText: (x) => String(Math.round(x)),
    yText: (y) => percentText(y, 0),
    yMax: 1,
    mark: isShown ? { x: kept, name: `${kept} in the codes` } : undefined,
  });
}

/** What changes a collection, each after a question. */
function actions(name: string): HTMLElement {
  const outcome = h('p', { role: 'status' });
  const act = async (work: () => Promise<unknown>, said: string) => {
    try {
      show(outcome, 'Working …');
      await work();
      show(outcome, said);
    } catch (error) {
      show(outcome, problem(error));
    }
  };
  const optimize = async () => {
    const text =
      'Builds, trains anew and gives space back where that is due. It takes processors meanwhile.';
    if (!(await confirmed(`Optimize ${name}?`, text, 'Optimize'))) return;
    await act(() => request('POST', `${nativePath(name)}/optimize?timeout=3600`, {}), 'Optimized.');
  };
  const remove = async () => {
    const text = 'All its points are deleted. This cannot be undone.';
    if (!(await confirmed(`Delete ${name}?`, text, 'Delete it', name))) return;
    await act(async () => {
      await requestResult('DELETE', pathOf(name));
      location.hash = '#/';
    }, 'Deleted.');
  };
  return h(
    'div',
    { class: 'row actions' },
    h('button', { type: 'button', onclick: () => void optimize() }, 'Optimize …'),
    h(
      'button',
      { type: 'button', class: 'danger', onclick: () => void remove() },
      'Delete collection …',
    ),
    outcome,
  );
}
