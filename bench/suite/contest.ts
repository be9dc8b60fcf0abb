import { join } from 'node:path';
import { writeNpy } from '../../datasets/npy.js';
import { keyOf } from '../cache.js';
import type { BenchCase } from '../cases.js';
import { type BenchData, loadData } from '../data.js';
import { engineNamed, engineVersion } from '../engines/registry.js';
import { entryList, skip } from '../entry.js';
import { requireEnough } from '../harness.js';
import { Opponent } from '../opponent.js';
import type { SearchReport } from '../protocol.js';
import type { Skipped } from '../result.js';
import { withScratch } from '../scratch.js';
import { percentile } from '../statistics.js';
import type { SuiteOptions } from './run.js';

/** What an engine in its process is measured by, beyond what the harness of the curves does. */
export interface Contest {
  readonly benchCase: BenchCase;
  readonly data: BenchData;
  readonly options: SuiteOptions;
  /** A folder of its own, gone after the run. */
  readonly scratch: string;
  readonly queriesPath: string;
}

type Named<Figures> = { readonly name: string; readonly version: string } & Figures;

/**
 * Builds each contender of a case on `vectors` of its data and measures it, one process at a time.
 * One that cannot do what is asked is skipped, with its reason.
 * @throws LeandexError as runCase() does.
 */
export async function runContest<Figures>(
  benchCase: BenchCase,
  options: SuiteOptions,
  plan: {
    readonly vectors: (data: BenchData) => Float32Array;
    /** The rows that each filter to be searched with allows. */
    readonly filters?: (data: BenchData) => readonly Uint32Array[];
    readonly measure: (opponent: Opponent, contest: Contest) => Promise<Figures>;
  },
): Promise<{ data: BenchData; contenders: Named<Figures>[]; skipped: Skipped[] }> {
  const { log = () => {} } = options;
  const { contenders, skipped } = entryList(benchCase.contenders, options.engines);
  const results: Named<Figures>[] = [];
  const refused: Skipped[] = [...skipped];
  return withScratch(async (scratch) => {
    const data = requireEnough(await loadData(benchCase), 1);
    const { dimensions } = data;
    const vectors = plan.vectors(data);
    const filters = plan.filters?.(data) ?? [];
    const [vectorsPath, queriesPath] = ['vectors', 'queries'].map((name) =>
      join(scratch, `${name}.npy`),
    );
    writeNpy(vectorsPath, [vectors.length / dimensions, dimensions], vectors);
    writeNpy(queriesPath, [data.info.queries, dimensions], data.queries);
    for (const contender of contenders) {
      const { engine, name, settings, search, efs } = contender;
      log(`${benchCase.name}: ${name}`);
      const threads = options.machine.cores;
      const opponent = new Opponent(engine, threads);
      try {
        await opponent.build({
          ...{ vectorsPath, dimensions, distance: benchCase.distance },
          ...{ settings, search, efs, threads, filters, scratch: join(scratch, keyOf(name)) },
        });
        const figures = await plan.measure(opponent, {
          ...{ benchCase, data, options, scratch, queriesPath },
        });
        results.push({ name, version: engineVersion(engineNamed(engine)), ...figures });
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'UNSUPPORTED') throw error;
        refused.push(skip(contender, (error as Error).message));
        log(`${benchCase.name}: ${name} skipped, ${(error as Error).message}`);
      } finally {
        opponent.close();
      }
    }
    return { data, contenders: results, skipped: refused };
  });
}

/** Queries/s and latencies of a report, in microseconds. */
export function speedOf({ latencies }: SearchReport): { qps: number; p50: number; p99: number } {
  const total = latencies.reduce((sum, latency) => sum + latency, 0);
  const sorted = latencies.slice().sort();
  return {
    qps: (1e6 * latencies.length) / total,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}

/** Writes ids for a process to read, and gives the path. */
export function writeIds({ scratch }: Contest, name: string, ids: Uint32Array): string {
  const path = join(scratch, `${name}.npy`);
  writeNpy(path, [ids.length], ids);
  return path;
}

/** Milliseconds to warm up for a measurement of so many. */
export function warmupOf(measureMs: number): number {
  return Math.min(50, measureMs);
}
