import { describe, expect, test } from 'vitest';
import {
  generateClusters,
  generateOutOfDistribution,
  generateSpectrum,
} from '../../datasets/generate.js';
import type { Progress } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { type AdviseOptions, advise, LeanIndex } from '../../src/index.js';
import { gaussianRows } from '../graph/oracle.js';

const D = 32;
const data = generateSpectrum({
  ...{ count: 4500, queries: 600, dimensions: D, seed: 5, decay: 0.5, normalise: true },
});
const half = (data.queries.length / D / 2) * D;
const given = data.queries.slice(0, half);
const asked = data.queries.slice(half);

/** Lengths from 1 to 10. */
function uneven(rows: Float32Array): Float32Array {
  return rows.map((x, i) => x * (1 + (Math.floor(i / D) % 10)));
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  throw new Error('nothing was thrown');
}

describe('advise', () => {
  test('recommends what reaches the recall that it promises, among more than it looked at', async () => {
    const advice = await advise(data.corpus, { dimensions: D, queries: given, sample: 2048 });
    const { settings, search, expected, trials, reasons } = advice;
    expect(trials.map(({ count }) => count)).toEqual([2048, 512]);
    expect(expected).toMatchObject({ count: 4500, k: 10, recall: 0.95 });
    const index = await LeanIndex.build(data.corpus, settings);
    const { ids } = await index.searchBatch(asked, 10, search);
    const truth = exactNeighbours(data.corpus, asked, D, 10, 'Cosine');
    expect(recallAtK(ids, truth, 10)).toBeGreaterThan(expected.recall - 0.01);
    const { total } = index.stats().bytesPerVector;
    expect(Math.abs(expected.bytesPerVector / total - 1)).toBeLessThan(0.05);
    await index.close();
    expect(reasons.map(({ about }) => about)).toEqual(['distance', 'codes', 'ef', 'projection']);
  });

  test('gives the same advice again, whatever the number of threads', async () => {
    const options = { dimensions: D, sample: 2048, seed: 9 };
    const one = await advise(data.corpus, { ...options, threads: 1 });
    const other = await advise(data.corpus, { ...options, threads: 2 });
    expect(other).toEqual(one);
  });

  test('says who asked where no queries were given', async () => {
    const efOf = async (queries: Float32Array | undefined) => {
      const { reasons } = await advise(data.corpus, { dimensions: D, queries, sample: 2048 });
      return reasons.find(({ about }) => about === 'ef')!.text;
    };
    expect(await efOf(undefined)).toContain('vectors of the data asked');
    expect(await efOf(given)).not.toContain('vectors of the data asked');
  });

  test('a higher recall takes a wider beam', async () => {
    const ef = async (recall: number) => {
      const { search } = await advise(data.corpus, { dimensions: D, recall, sample: 2048 });
      return search.ef;
    };
    expect(await ef(0.99)).toBeGreaterThan(await ef(0.9));
  });

  test('keeps within the memory allowed, or says that it cannot', async () => {
    const rows = gaussianRows(2400, 256, 1);
    const of = (memory?: number) => advise(rows, { dimensions: 256, recall: 0.9, memory });
    const free = await of();
    const { bytesPerVector } = free.expected;
    const tight = await of(bytesPerVector - 1);
    expect(tight.settings.preset).toBe('compact');
    expect(tight.expected.bytesPerVector).toBeLessThan(bytesPerVector);
    expect(tight.warnings.map(({ code }) => code)).not.toContain('MEMORY_OUT_OF_REACH');
    const none = await of(10);
    expect(none.warnings.map(({ code }) => code)).toContain('MEMORY_OUT_OF_REACH');
  });

  test('scans few vectors exactly', async () => {
    const few = data.corpus.subarray(0, 1000 * D);
    const { settings, expected, trials } = await advise(few, { dimensions: D });
    expect(settings).toEqual({ dimensions: D, distance: 'Cosine' });
    expect([expected.recall, trials.length]).toEqual([1, 0]);
    // The same vectors as a sample of many more are another matter.
    const many = await advise(few, { dimensions: D, count: 50_000 });
    expect(many.trials.length).toBeGreaterThan(0);
    expect(many.expected.count).toBe(50_000);
  });

  test('keeps the distance it is given, and warns where lengths do not fit it', async () => {
    const rows = uneven(data.corpus.subarray(0, 1500 * D));
    const of = async (distance?: AdviseOptions['distance']) => {
      const { settings, warnings } = await advise(rows, { dimensions: D, distance });
      return [settings.distance, ...warnings.map(({ code }) => code)];
    };
    expect(await of('dot')).toEqual(['Dot', 'LENGTHS_DECIDE']);
    expect(await of('COSINE')).toEqual(['Cosine', 'LENGTHS_IGNORED']);
    expect(await of()).toEqual(['Euclid']);
  });

  test('judges by the classes given', async () => {
    const { corpus, labels, dimensions } = generateClusters({
      ...{ count: 1500, queries: 0, dimensions: 8, seed: 3, clusters: 6, spread: 0.3 },
    });
    const { features } = await advise(corpus, { dimensions, labels });
    expect(features.daviesBouldin).toMatchObject({ of: 'labels', clusters: 6 });
    const shuffled = labels.map((_, i) => i % 6);
    const mixed = await advise(corpus, { dimensions, labels: shuffled });
    const { euclid, cosine } = features.daviesBouldin;
    expect(mixed.features.daviesBouldin.euclid).toBeGreaterThan(5 * euclid);
    expect(mixed.features.daviesBouldin.cosine).toBeGreaterThan(5 * cosine);
  });

  test('tries other orders where some vectors lie on a line and others anywhere', async () => {
    const rows = gaussianRows(2400, D, 4, 0);
    // Every second vector keeps one dimension, in a place of its own.
    for (let row = 0; row < 2400; row += 2) rows.fill(5, row * D + 1, (row + 1) * D);
    const { reasons, trials, settings } = await advise(rows, { dimensions: D, distance: 'Euclid' });
    const orders = reasons.filter(({ about }) => about === 'order');
    expect(orders.map(({ text }) => text.split(' ').slice(0, 3).join(' '))).toEqual([
      ...['the order lid-asc', 'the order lid-desc'],
    ]);
    const helped = orders.filter(({ text }) => text.includes('helps'));
    expect(settings.order !== undefined).toBe(helped.length > 0);
    expect(trials.map((trial) => trial.settings.order)).toContain('lid-asc');
  });

  test('trains for queries of another kind before it takes codes that are larger', async () => {
    const dimensions = 384;
    const { corpus, queries } = generateOutOfDistribution({
      ...{ count: 3000, queries: 600, dimensions, seed: 4, decay: 1, normalise: true },
    });
    const options = { dimensions, queries, recall: 0.98 };
    const advice = await advise(corpus, options);
    expect(advice.trainWithQueries).toBe(true);
    expect(advice.settings.secondaryBits).toBeUndefined();
    expect(advice.expected.recall).toBe(0.98);
    const [plain, trained] = advice.trials;
    expect([plain.trained, trained.trained]).toEqual([false, true]);
    expect(Math.max(...plain.curve.map(({ recall }) => recall))).toBeLessThan(0.98);
    const { text } = advice.reasons.find(({ about }) => about === 'training')!;
    expect(text).toMatch(/^training for the queries helps: .*0\.\d{3} against 0\.\d{3}$/);
    // Too few queries to train with, or no training wanted: larger codes.
    for (const without of [
      { queries: queries.slice(0, 300 * dimensions) },
      { trainWithQueries: false },
    ]) {
      const other = await advise(corpus, { ...options, ...without });
      expect(other.trainWithQueries).toBe(false);
      expect(other.settings.secondaryBits).toBe(32);
    }
  });

  test('says that noise does not compress', async () => {
    const noise = gaussianRows(2200, 256, 2, 0);
    const { warnings } = await advise(noise, { dimensions: 256, recall: 0.8 });
    expect(warnings.map(({ code }) => code)).toContain('POORLY_COMPRESSIBLE');
    expect(warnings.map(({ code }) => code)).toContain('LOW_CONTRAST');
  });

  test('tells how far it is', async () => {
    const told: Progress[] = [];
    await advise(data.corpus.subarray(0, 500 * D), {
      ...{ dimensions: D, onProgress: (progress) => told.push(progress) },
    });
    expect(told[0]).toEqual({ phase: 'advise', done: 0, total: 4 });
    expect(told.at(-1)).toEqual({ phase: 'advise', done: 4, total: 4 });
  });

  test('ends when it is aborted, at the start and in the middle', async () => {
    const signal = AbortSignal.abort();
    expect(await codeOf(advise(data.corpus, { dimensions: D, signal }))).toBe('ABORTED');
    for (const at of [1, 2, 3]) {
      const controller = new AbortController();
      const onProgress = ({ done }: Progress) => {
        if (done === at) controller.abort();
      };
      const options = { dimensions: D, sample: 2048, signal: controller.signal, onProgress };
      expect(await codeOf(advise(data.corpus, options))).toBe('ABORTED');
    }
  });

  test.each<[string, Partial<AdviseOptions>, string]>([
    ['an unknown option', { limit: 3 } as object, 'INVALID_ARGUMENT'],
    ['a recall of 1', { recall: 1 }, 'INVALID_ARGUMENT'],
    ['no memory', { memory: 0 }, 'INVALID_ARGUMENT'],
    ['k of half the vectors and more', { k: 200 }, 'INVALID_ARGUMENT'],
    ['queries of another size', { queries: new Float32Array(33) }, 'DIMENSION_MISMATCH'],
    ['no yes or no', { trainWithQueries: 1 as unknown as boolean }, 'INVALID_ARGUMENT'],
    ['no queries', { queries: new Float32Array() }, 'INVALID_ARGUMENT'],
    ['too few labels', { labels: [1] }, 'DIMENSION_MISMATCH'],
    ['an unknown distance', { distance: 'l1' as 'dot' }, 'INVALID_ARGUMENT'],
    ['no size', { dimensions: undefined as unknown as number }, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_, options, code) => {
    const rows = data.corpus.subarray(0, 200 * D);
    expect(await codeOf(advise(rows, { dimensions: D, ...options }))).toBe(code);
  });

  test('refuses numbers that are not finite, and too few vectors', async () => {
    const broken = data.corpus.slice(0, 200 * D).fill(Number.NaN, 64, 65);
    expect(await codeOf(advise(broken, { dimensions: D }))).toBe('INVALID_ARGUMENT');
    const few = data.corpus.subarray(0, 15 * D);
    expect(await codeOf(advise(few, { dimensions: D }))).toBe('INVALID_ARGUMENT');
  });
});
