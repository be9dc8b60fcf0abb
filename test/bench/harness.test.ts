import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BenchCase } from '../../bench/cases.js';
import { absence } from '../../bench/data.js';
import { qpsAtRecall, RECALL_LEVELS } from '../../bench/frontier.js';
import { runCase } from '../../bench/harness.js';
import { type CaseResult, writeResult } from '../../bench/result.js';
import { requireFreshBuild } from './compiled.js';
import { TINY } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-bench-test-'));
const cacheFolder = join(folder, 'cache');

beforeAll(() => {
  requireFreshBuild();
  vi.stubEnv('TMPDIR', folder);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('a tiny case, from generator to table', () => {
  const lines: string[] = [];
  let result: CaseResult;
  let again: CaseResult;

  beforeAll(async () => {
    result = await runCase(TINY, { cacheFolder, log: (line) => lines.push(line) });
    again = await runCase(TINY, { cacheFolder, repeats: 1 });
  });

  test('says what was measured, where and with what', () => {
    expect(result).toMatchObject({ case: 'tiny', distance: 'Cosine', k: 10, repeats: 2 });
    expect(result.data).toMatchObject({ count: 2500, dimensions: 32, queries: 60 });
    expect(result.data.source).toEqual(TINY.data);
    expect(result.data.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(result.date)).toBeGreaterThan(0);
    expect(result.machine.node).toBe(process.versions.node);
    expect(result.machine.kernel).toMatch(/simd/);
    expect(result.contenders.map(({ engine }) => engine)).toEqual(['leandex', 'hnswlib-node']);
    expect(result).toMatchObject({ engines: null, resumedFrom: null, skipped: [] });
    expect(lines.join('\n')).toContain('repeat 2 of 2');
  });

  test('every point has recall, speed and latencies that fit one another', () => {
    for (const [i, { points }] of result.contenders.entries()) {
      expect(points.map(({ ef }) => ef)).toEqual(TINY.contenders[i]!.efs);
      for (const { qps, qpsMin, qpsMax, p50, p95, p99, recall, samples } of points) {
        expect(recall).toBeGreaterThan(0.5);
        expect(recall).toBeLessThanOrEqual(1);
        expect(qpsMin).toBeGreaterThan(0);
        expect([qpsMin, qps, qpsMax]).toEqual([qpsMin, qps, qpsMax].sort((a, b) => a - b));
        expect([p50, p95, p99]).toEqual([p50, p95, p99].sort((a, b) => a - b));
        expect(samples).toHaveLength(TINY.repeats);
        for (const sample of samples) {
          expect(sample).toMatchObject({ recall, resumed: false });
          expect(sample.coresBusy).toBeGreaterThan(0);
        }
      }
    }
  });

  test('both engines find more than nine of ten neighbours', () => {
    for (const { points } of result.contenders) {
      expect(points.at(-1)!.recall).toBeGreaterThan(0.9);
    }
  });

  test('the summary follows from the points', () => {
    const [ours, theirs] = result.contenders;
    for (const { points, latency, allThreads } of result.contenders) {
      const point = points.find(({ recall }) => recall >= 0.95);
      expect(latency?.ef).toBe(point?.ef);
      if (point !== undefined) expect(latency!.p99ToP50).toBe(point.p99 / point.p50);
      expect(allThreads.length).toBeGreaterThan(0);
      for (const { ef, threads, qps, samples } of allThreads) {
        // hnswlib-node has one thread only, and there the curve says all.
        if (threads === 1) expect(qps).toBe(points.find((each) => each.ef === ef)!.qps);
        else expect(samples).toHaveLength(TINY.repeats);
      }
    }
    for (const level of RECALL_LEVELS) {
      expect(ours!.atRecall[level]).toBe(qpsAtRecall(ours!.points, Number(level)));
    }
    expect(result.ratios).toHaveLength(1);
    const { contender, opponent, qps, build, buildThreads, memory } = result.ratios[0]!;
    expect(buildThreads).toEqual([ours!.buildThreads, 1]);
    expect([contender, opponent]).toEqual([0, 'hnswlib-node']);
    expect(qps['0.90']).toBeCloseTo(ours!.atRecall['0.90']! / theirs!.atRecall['0.90']!, 9);
    expect(build).toBeCloseTo(theirs!.buildSeconds / ours!.buildSeconds, 9);
    expect(memory).toBeCloseTo(theirs!.bytesPerVector.total / ours!.bytesPerVector.total, 9);
  });

  test('bytes a vector add up, and the index file is of that size', () => {
    for (const { bytesPerVector, indexBytes, buildSeconds } of result.contenders) {
      const { total, ...parts } = bytesPerVector;
      expect(Object.values(parts).reduce((sum, part) => sum + part)).toBeCloseTo(total, 6);
      expect(buildSeconds).toBeGreaterThan(0);
      expect(indexBytes).toBeGreaterThan(0);
    }
    // hnswlib saves what it has in memory but for pointers and marks, less than 16 bytes a vector.
    const hnswlib = result.contenders[1]!;
    const saved = hnswlib.indexBytes! / result.data.count;
    expect(Math.abs(hnswlib.bytesPerVector.total - saved)).toBeLessThan(16);
  });

  test('a second run takes indexes and build times from the cache, and finds the same', () => {
    const recalls = ({ contenders }: CaseResult) =>
      contenders.map(({ points }) => points.map(({ recall }) => recall));
    expect(result.contenders.map(({ cached }) => cached)).toEqual([false, false]);
    expect(again.contenders.map(({ cached }) => cached)).toEqual([true, true]);
    for (const [i, { buildSeconds }] of again.contenders.entries()) {
      expect(buildSeconds).toBe(result.contenders[i]!.buildSeconds);
    }
    expect(recalls(again)).toEqual(recalls(result));
    expect(again.data.sha256).toBe(result.data.sha256);
  });

  test('the file holds the result, and nothing that names this place', () => {
    const path = writeResult(join(folder, 'results'), result);
    const text = readFileSync(path, 'utf8');
    expect(path).toBe(join(folder, 'results', 'tiny.json'));
    expect(JSON.parse(text)).toEqual(result);
    expect(text).not.toMatch(/"[/\\]|[A-Z]:\\\\/);
    for (const place of [tmpdir(), process.cwd(), process.env.HOME]) {
      if (place) expect(text).not.toContain(`${place}/`);
    }
  });

  test('nothing is left in the temporary folder', () => {
    expect(tmpdir()).toBe(folder);
    expect(readdirSync(folder).filter((name) => name.startsWith('leandex-bench-'))).toEqual([]);
  });
});

describe('what goes wrong is said', () => {
  test('an absent data set', async () => {
    const absent: BenchCase = { ...TINY, data: { kind: 'shared', folder: 'no-such-set' } };
    expect(absence(absent.data)).toContain('no-such-set is absent');
    await expect(runCase(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('more queries than there are', async () => {
    const greedy: BenchCase = { ...TINY, data: { kind: 'quickstart' }, queries: 513 };
    await expect(runCase(greedy)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
