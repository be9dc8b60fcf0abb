import type { CaseResult, ContenderResult, ResultPoint } from '../../bench/result.js';

function point(ef: number, recall: number, qps: number): ResultPoint {
  const sample = { recall, qps, p50: 1e6 / qps, p95: 1.2e6 / qps, p99: 2e6 / qps };
  const samples = [{ ...sample, coresBusy: 1, resumed: false }];
  return { ef, ...sample, qpsMin: 0.9 * qps, qpsMax: 1.1 * qps, samples };
}

/** A contender with a curve of three points, the second of which lies just above .95. */
export function madeUpContender(engine: string, name: string, speed: number): ContenderResult {
  const points = [point(10, 0.85, 4 * speed), point(40, 0.96, 2 * speed), point(160, 0.99, speed)];
  const { ef, recall, p50, p99 } = points[1];
  return {
    ...{ engine, name, settings: {}, search: {}, version: '1.2.3' },
    ...{ buildSeconds: 10, buildThreads: 1, buildCpuSeconds: 11, cached: false },
    bytesPerVector: { codes: 64, graph: 136, total: 200 },
    ...{ rssBytes: 2 ** 20, resolved: {}, searchThreads: 1, points },
    atRecall: { '0.90': 3 * speed, '0.95': 2 * speed, '0.98': 1.5 * speed, '0.99': speed },
    latency: { ef, recall, p50, p99, p99ToP50: p99 / p50 },
    allThreads: [{ ...points[1], threads: 1, samples: [] }],
    resumed: { build: false, measurements: 0 },
  };
}

export function madeUpResult(contenders: readonly ContenderResult[]): CaseResult {
  return {
    ...{ case: 'made-up', date: '2026-01-02T03:04:05.000Z', commit: null },
    machine: {
      ...{ cpu: 'A <fast> & "quiet" CPU', cores: 2, memoryGiB: 8, node: '20.0.0', v8: '11' },
      ...{ platform: 'linux x64', kernel: 'simd', loadAverage: 0 },
    },
    data: {
      ...{ name: 'quickstart', count: 12_000, dimensions: 384, queries: 512 },
      ...{ sha256: '0'.repeat(64), source: { kind: 'quickstart' } },
    },
    ...{ distance: 'Cosine', k: 10, threads: 1, repeats: 3, engines: null, resumedFrom: null },
    ...{ contenders, skipped: [], ratios: [] },
  };
}
