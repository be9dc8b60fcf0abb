import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import {
  histogram,
  parseMetrics,
  quantile,
  since,
  total,
} from '../../../../src/server/dashboard/page/metrics-text.js';

test('reads what prom-client writes, whatever is in the labels', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }),
      async (labels) => {
        const registry = new Registry();
        const registers = [registry];
        const counter = new Counter({ name: 'n', help: 'h', labelNames: ['label'], registers });
        labels.forEach((label, i) => {
          counter.inc({ label }, i + 0.5);
        });
        const samples = parseMetrics(await registry.metrics());
        expect(samples.get('n')).toEqual(
          labels.map((label, i) => ({ labels: { label }, value: i + 0.5 })),
        );
        expect(total(samples, 'n')).toBe(labels.length ** 2 / 2);
      },
    ),
    { seed: 1 },
  );
});

test('quantiles of a histogram lie in the bucket of the true one', async () => {
  const buckets = [1, 2, 5, 10, 20, 50];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0.01, max: 49, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      async (values, share) => {
        const registry = new Registry();
        const made = new Histogram({ name: 'd', help: 'h', buckets, registers: [registry] });
        for (const value of values) made.observe(value);
        const counts = histogram(parseMetrics(await registry.metrics()), 'd');
        const sorted = values.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(share * sorted.length) - 1]!;
        const found = quantile(counts, share);
        const bucketOf = (x: number) => buckets.findIndex((bound) => x <= bound);
        expect(bucketOf(found)).toBe(bucketOf(truth));
      },
    ),
    { seed: 2 },
  );
});

test('a histogram since an earlier state, and none', () => {
  const text = (a: number, b: number) =>
    parseMetrics(`d_bucket{le="1",e="x"} ${a}\nd_bucket{le="+Inf",e="x"} ${b}\n# a comment\n`);
  const [before, now] = [histogram(text(5, 5), 'd'), histogram(text(5, 9), 'd')];
  expect([...since(now, before)]).toEqual([
    [1, 0],
    [Infinity, 4],
  ]);
  expect(quantile(since(now, before), 0.5)).toBe(1);
  expect(quantile(since(now, now), 0.5)).toBeNaN();
  expect(quantile(new Map(), 0.5)).toBeNaN();
});
