import { join } from 'node:path';
import { codeHash, keyOf } from './cache.js';
import type { Contender } from './contenders.js';
import { engineNamed, engineVersion } from './engines/registry.js';
import { Opponent } from './opponent.js';
import type { BuildReport } from './protocol.js';
import { type AllSample, QUANTILES, type Sample, type Verdict } from './result.js';
import type { Run } from './run.js';
import { percentile } from './statistics.js';

/** The first searches compile; this long is enough for V8 to be done with them. */
const WARMUP_MS = 100;

/** What an earlier, interrupted run contributed. */
export interface Resumed {
  build: boolean;
  measurements: number;
}

/**
 * A contender in a run. What the run's journal holds of it is not measured again, and where that is
 * all there is no process either; otherwise it is started for the first thing that is missing.
 */
export class Entrant {
  readonly contender: Contender;
  readonly version: string;
  readonly resumed: Resumed = { build: false, measurements: 0 };
  private readonly run: Run;
  private readonly key: string;
  private opponent: Opponent | undefined;
  private report: BuildReport | undefined;

  constructor(contender: Contender, run: Run) {
    const { engine, name, settings, search, efs } = contender;
    this.contender = contender;
    this.run = run;
    this.version = engineVersion(engineNamed(engine));
    this.key = `${name} ${keyOf(engine, this.version, settings, search, efs)}`;
  }

  /**
   * Builds the index, unless nothing more is to be measured on it.
   * @throws LeandexError `UNSUPPORTED` when the engine refuses the settings.
   */
  async prepare(): Promise<BuildReport> {
    const { contender, run } = this;
    const earlier = run.journal.read<BuildReport>(`${this.key} build`);
    const isComplete = contender.efs.every((ef) =>
      Array.from({ length: run.repeats }, (_, repeat) => this.sampleKey(ef, repeat)).every(
        (key) => run.journal.read(key) !== undefined,
      ),
    );
    if (earlier !== undefined) this.resumed.build = true;
    if (earlier === undefined || !isComplete) await this.start();
    this.report = earlier ?? this.report!;
    if (earlier === undefined) run.journal.write(`${this.key} build`, this.report);
    return this.report;
  }

  /** Threads for `searchAll`; 1 where the engine has no such way. */
  get searchThreads(): number {
    return this.report!.searchThreads;
  }

  /** One measurement of one beam width: one query a call, one thread. */
  sample(ef: number, repeat: number, verdictOn: (ids: Uint32Array) => Verdict): Promise<Sample> {
    return this.measured(this.sampleKey(ef, repeat), async (opponent) => {
      const { latencies, ids, coresBusy } = await opponent.search(this.request(ef));
      const total = latencies.reduce((sum, latency) => sum + latency, 0);
      const sorted = latencies.sort();
      return {
        ...verdictOn(ids),
        qps: (1e6 * latencies.length) / total,
        p50: percentile(sorted, 0.5),
        p95: percentile(sorted, 0.95),
        p99: percentile(sorted, 0.99),
        quantiles: QUANTILES.map((share) => percentile(sorted, share)),
        coresBusy,
      };
    });
  }

  /** One measurement of one beam width on all threads. */
  sampleAll(ef: number, repeat: number): Promise<AllSample> {
    return this.measured(`${this.key} all threads, ef ${ef}, repeat ${repeat}`, (opponent) =>
      opponent.searchAll(this.request(ef)),
    );
  }

  close(): void {
    this.opponent?.close();
    this.opponent = undefined;
  }

  private async measured<T extends object>(
    key: string,
    measure: (opponent: Opponent) => Promise<T>,
  ): Promise<T & { resumed: boolean }> {
    const earlier = this.run.journal.read<T>(key);
    if (earlier !== undefined) {
      this.resumed.measurements++;
      return { ...earlier, resumed: true };
    }
    const value = await measure(await this.start());
    this.run.journal.write(key, value);
    return { ...value, resumed: false };
  }

  private sampleKey(ef: number, repeat: number): string {
    return `${this.key} ef ${ef}, repeat ${repeat}`;
  }

  private request(ef: number) {
    const { queriesPath, benchCase } = this.run;
    const { k, measureMs } = benchCase;
    return { queriesPath, k, ef, warmupMs: WARMUP_MS, measureMs };
  }

  /** The process with its index, which is built now if it is not there yet. */
  private async start(): Promise<Opponent> {
    if (this.opponent !== undefined) return this.opponent;
    const { contender, run } = this;
    const { benchCase, vectorsPath, data, scratch, machine, log } = run;
    const { engine, name, settings, search, efs } = contender;
    const { cores: threads } = machine;
    log(`${benchCase.name}: building ${name} ${JSON.stringify(settings)}`);
    this.opponent = new Opponent(engine, threads);
    const cachePath = this.cachePath();
    this.report = await this.opponent.build({
      ...{ vectorsPath, dimensions: data.info.dimensions, distance: benchCase.distance },
      ...{ settings, search, efs, threads },
      scratch: join(scratch, keyOf(this.key)),
      ...(cachePath !== undefined && { cachePath }),
    });
    const { buildSeconds, cached } = this.report;
    const origin = cached ? ' (by an earlier run)' : '';
    log(`${benchCase.name}: ${name} built in ${buildSeconds.toFixed(2)} s${origin}`);
    return this.opponent;
  }

  /** Build seconds are cached with the index, so the processor and the code that took them count. */
  private cachePath(): string | undefined {
    const { data, benchCase, machine, cacheFolder } = this.run;
    if (cacheFolder === undefined) return undefined;
    const { engine, settings } = this.contender;
    const own = engine === 'leandex' ? codeHash(['src']) : this.version;
    const code = [own, codeHash(['bench/engines', 'bench/workers'])];
    const { cpu, cores, node, kernel } = machine;
    const place = [cpu, cores, node, kernel];
    const rows = [data.corpusHash, data.dimensions];
    const key = keyOf(code, rows, benchCase.distance, settings, ...place);
    return join(cacheFolder, `${engine}-${key}`);
  }
}
