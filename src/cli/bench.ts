import { join } from 'node:path';
import type { Command } from 'commander';
import type { BenchCase } from '../../bench/cases.js';
import type { HarnessOptions } from '../../bench/harness.js';
import { packageFolder } from '../../datasets/package-folder.js';
import { checkInteger, checkOneOf } from '../base/check.js';
import { benchConsole } from './bench-console.js';
import { several } from './flags.js';

interface BenchFlags {
  case?: string[];
  engines?: string[];
  out?: string;
  repeats?: string;
  cache: boolean;
  list?: boolean;
  json?: boolean;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measure recall, queries/s, latency, build time and memory beside other engines')
    .option('--case <name>', 'a case of --list, or all; may be repeated (default: quick)', several)
    .option('--engines <names>', 'only these, by commas (default: all that are installed)', several)
    .option('--out <folder>', 'where <case>.json and .svg are written (default: bench/results)')
    .option('--repeats <n>', "how often everything is searched (default: the case's own number)")
    .option('--no-cache', 'do everything anew: no cached index, nothing of an interrupted run')
    .option('--list', 'list cases and engines, and whether they are here')
    .option('--json', 'print one JSON object a case and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runBench);
}

const EXAMPLES = `
Examples:
  leandex bench --list
  leandex bench --case quick --engines leandex,hnswlib-node
`;

async function runBench({ case: names = ['quick'], ...flags }: BenchFlags): Promise<void> {
  // Only this command needs the harness, so only it waits for it to load.
  const { CASES } = await import('../../bench/cases.js');
  if (flags.list === true) return listCases();
  for (const name of names) checkOneOf('--case', name, [...CASES.map((each) => each.name), 'all']);
  const isWanted = (name: string) => names.includes(name) || names.includes('all');
  const { line, progress, stop } = benchConsole();
  const options = {
    ...(flags.repeats !== undefined && {
      repeats: checkInteger('--repeats', Number(flags.repeats), 1, 1000),
    }),
    ...(flags.engines !== undefined && { engines: [...new Set(flags.engines)] }),
    ...(flags.cache && { cacheFolder: join(packageFolder(), 'bench', 'cache') }),
    log: line,
    onProgress: progress,
  };
  const interrupt = () => {
    line('interrupted: the same command goes on from here');
    process.exit(130);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    for (const benchCase of CASES.filter((each) => isWanted(each.name))) {
      await runOne(benchCase, options, flags);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    stop();
  }
}

async function runOne(
  benchCase: BenchCase,
  options: HarnessOptions & { log: (line: string) => void },
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
  // First, because the measurements that it holds may have taken an hour.
  const path = writeResult(out, result);
  options.log(`${benchCase.name}: written to ${path} and ${await writePlot(out, result)}`);
  process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : renderResult(result));
}

async function listCases(): Promise<void> {
  const [{ CASES }, { absence }, { ENGINES, engineAbsence, engineVersion }] = await Promise.all([
    import('../../bench/cases.js'),
    import('../../bench/data.js'),
    import('../../bench/engines/registry.js'),
  ]);
  const lines = [
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
