import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { BenchCase } from '../../bench/cases.js';
import type { HarnessOptions } from '../../bench/harness.js';
import { packageFolder } from '../../datasets/package-folder.js';
import { checkOneOf } from '../base/check.js';
import { parseDistance } from '../base/distance.js';
import { outOfRange } from '../base/errors.js';
import { benchConsole } from './bench-console.js';
import { EXIT_OF_SIGNAL } from './cancel.js';
import { several, whole } from './flags.js';

interface BenchFlags {
  suite?: string;
  data?: string;
  queries?: string;
  distance?: string;
  case?: string[];
  engines?: string[];
  out?: string;
  repeats?: number;
  cache: boolean;
  list?: boolean;
  json?: boolean;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measure recall, queries/s, latency, build time and memory beside other engines')
    .option('--suite <name>', 'a suite of --list, or a .json file of one (default: quick)')
    .option('--data <path>', 'instead: own vectors, a folder or .npy .fvecs .parquet .hdf5 …')
    .option('--queries <path>', 'queries for --data (default: its own, or rows that are held out)')
    .option('--distance <name>', 'Cosine, Dot or Euclid, for --data (default: Cosine)')
    .option('--case <name>', 'instead: curves of one case of --list, or all; repeatable', several)
    .option('--engines <names>', 'only these, by commas (default: all that are installed)', several)
    .option('--out <folder>', 'for results.json, report.md, report.html, or <case>.json and .svg')
    .option(
      '--repeats <n>',
      "how often everything is searched (default: the case's own number)",
      whole(1, 1000),
    )
    .option('--no-cache', 'do everything anew: no cached index, nothing of an interrupted run')
    .option('--list', 'list cases and engines, and whether they are here')
    .option('--json', 'print one JSON object a case and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runBench);
}

const EXAMPLES = `
Examples:
  leandex bench --list
  leandex bench --suite quick --out report
  leandex bench --data embeddings.npy --queries queries.npy --out report
  leandex bench --case quick --engines leandex,hnswlib-node
`;

async function runBench(flags: BenchFlags): Promise<void> {
  if (flags.list === true) return listAll();
  const { suite, data, case: cases } = flags;
  const sources = Object.entries({ suite, data, case: cases }).filter(([, of]) => of !== undefined);
  if (sources.length > 1) {
    const given = sources.map(([name]) => `--${name}`).join(' and ');
    throw outOfRange('what to measure', 'one of --suite, --data and --case', given);
  }
  for (const name of ['queries', 'distance'] as const) {
    if (data !== undefined || flags[name] === undefined) continue;
    throw outOfRange(`--${name}`, 'together with --data', flags[name]);
  }
  // Only this command needs the harness, so only it waits for it to load.
  const { CASES } = await import('../../bench/cases.js');
  const known = [...CASES.map((each) => each.name), 'all'];
  for (const name of cases ?? []) checkOneOf('--case', name, known);
  const { line, progress, stop } = benchConsole();
  const options = {
    ...(flags.repeats !== undefined && { repeats: flags.repeats }),
    ...(flags.engines !== undefined && { engines: [...new Set(flags.engines)] }),
    ...(flags.cache && { cacheFolder: join(packageFolder(), 'bench', 'cache') }),
    log: line,
    onProgress: progress,
  };
  // A folder that cannot be written would be found out after everything was measured.
  if (flags.out !== undefined) mkdirSync(flags.out, { recursive: true });
  const interrupt = (name: keyof typeof EXIT_OF_SIGNAL) => {
    line(flags.cache ? 'interrupted: the same command goes on from here' : 'interrupted');
    process.exit(EXIT_OF_SIGNAL[name]);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    if (cases === undefined) return await runTasks(options, flags);
    const isWanted = (name: string) => cases.includes(name) || cases.includes('all');
    for (const benchCase of CASES.filter((each) => isWanted(each.name))) {
      await runOne(benchCase, options, flags);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    stop();
  }
}

type Logged = HarnessOptions & { log: (line: string) => void };

/** A suite that ships, one of a file, or one for the user's own data. */
async function runTasks(options: Logged, flags: BenchFlags): Promise<void> {
  const { suite: name = 'quick', data: corpus, queries, distance = 'Cosine', out, json } = flags;
  const [{ readSuite }, { ownSuite }, { runSuite }, { writeSuite }, { renderMarkdown }] =
    await Promise.all([
      import('../../bench/suite/suite.js'),
      import('../../bench/suite/own.js'),
      import('../../bench/suite/run.js'),
      import('../../bench/suite/write.js'),
      import('../../bench/suite/markdown.js'),
    ]);
  const own = { distance: parseDistance(distance), ...(queries && { queriesFile: queries }) };
  const suite = corpus === undefined ? await readSuite(name) : ownSuite({ corpus, ...own });
  const result = await runSuite(suite, options);
  const folder = out ?? join(packageFolder(), 'bench', 'results', suite.name);
  if (result.failed.length > 0) process.exitCode = 1;
  try {
    options.log(`${suite.name}: written to ${writeSuite(folder, result).join(', ')}`);
  } finally {
    // Also where the disk is full: it may have taken an hour.
    process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : renderMarkdown(result));
  }
}

async function runOne(
  benchCase: BenchCase,
  options: Logged,
  { out = join(packageFolder(), 'bench', 'results'), json }: BenchFlags,
): Promise<void> {
  const [{ absence }, { runCase }, { writeResult }, { writePlot }, { renderResult }] =
    await Promise.all([
      import('../../bench/data.js'),
      import('../../bench/harness.js'),
      import('../../bench/result.js'),
      import('../../bench/plot.js'),
      import('../../bench/table.js'),
    ]);
  const reason = absence(benchCase.data);
  if (reason !== undefined) {
    options.log(`${benchCase.name}: skipped, ${reason}`);
    return;
  }
  const result = await runCase(benchCase, options);
  try {
    // First, because the measurements that it holds may have taken an hour.
    const path = writeResult(out, result);
    options.log(`${benchCase.name}: written to ${path} and ${await writePlot(out, result)}`);
  } finally {
    process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : renderResult(result));
  }
}

async function listAll(): Promise<void> {
  const [{ CASES }, { absence }, registry, { readSuite, suiteNames }] = await Promise.all([
    import('../../bench/cases.js'),
    import('../../bench/data.js'),
    import('../../bench/engines/registry.js'),
    import('../../bench/suite/suite.js'),
  ]);
  const { ENGINES, engineAbsence, engineVersion } = registry;
  const suites = await Promise.all(suiteNames().map(readSuite));
  const lines = [
    'Suites:',
    ...suites.map(({ name, description }) => `  ${name.padEnd(20)} ${description}`),
    'Cases:',
    ...CASES.map(({ name, data, contenders }) => {
      const state = absence(data) ?? `${contenders.length} contenders`;
      return `  ${name.padEnd(20)} ${state}`;
    }),
    'Engines:',
    ...ENGINES.map((engine) => {
      const state = engineAbsence(engine) ?? engineVersion(engine);
      return `  ${engine.name.padEnd(20)} ${state}`;
    }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
