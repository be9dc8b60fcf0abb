import { describe, expect, test } from 'vitest';
import { ADVISE_CASES } from '../../bench/advise/cases.js';
import { halves, render, verify } from '../../bench/advise/verify.js';
import { generateSpectrum } from '../../datasets/generate.js';

const data = generateSpectrum({ count: 2500, queries: 201, dimensions: 24, seed: 1, decay: 0.6 });

describe('the bench of the advisor', () => {
  test('measures with queries that the advisor has not seen', () => {
    const rows = Float32Array.from({ length: 7 }, (_, i) => i);
    const [given, asked] = halves({ corpus: rows, queries: rows, dimensions: 1 });
    expect([...given]).toEqual([0, 1, 2]);
    expect([...asked]).toEqual([3, 4, 5]);
  });

  test('says what was promised and what was measured, of which data', async () => {
    const result = await verify({ name: 'small', load: () => data, options: { recall: 0.9 } });
    expect(result).toMatchObject({ count: 2500, dimensions: 24, queries: 100, mode: 'graph' });
    expect(result!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(result!.expected.recall).toBe(0.9);
    expect(result!.isKept).toBe(result!.measured.recall >= 0.89);
    expect(render([result!])).toMatch(/small .*2,500 x 24.*0\.900/);
  });

  test('skips data that are absent', async () => {
    expect(await verify({ name: 'none', load: () => undefined, options: {} })).toBeUndefined();
  });

  test('has at least six sets, real and generated, each with a name of its own', () => {
    const names = ADVISE_CASES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => / \d+k x /.test(name)).length).toBeGreaterThanOrEqual(3);
    expect(names.length).toBeGreaterThanOrEqual(10);
  });
});
