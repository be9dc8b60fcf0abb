import { join } from 'node:path';
import type { Command } from 'commander';
import { packageFolder } from '../../datasets/package-folder.js';
import { checkInteger, checkOneOf } from '../base/check.js';

interface BenchFlags {
  case: string;
  out?: string;
  repeats?: string;
  cache: boolean;
  json?: boolean;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measure recall, queries/s, latency, build time and memory beside hnswlib-node')
    .option('--case <name>', 'quick, wordnet-mpnet768, generated-100k-768 or all', 'quick')
    .option('--out <folder>', 'where <case>.json is written (default: bench/results)')
    .option('--repeats <n>', "how often everything is searched (default: the case's own number)")
    .option('--no-cache', 'build all indexes anew, and keep none in bench/cache')
    .option('--json', 'print one JSON object a case and nothing else')
    .action(runBench);
}

async function runBench(flags: BenchFlags): Promise<void> {
  // Only this command needs the harness, so only it waits for it to load.
  const [{ CASES }, { absence }, { runCase }, { writeResult }, { renderResult }] =
    await Promise.all([
      import('../../bench/cases.js'),
      import('../../bench/data.js'),
      import('../../bench/harness.js'),
      import('../../bench/result.js'),
      import('../../bench/table.js'),
    ]);
  const name = checkOneOf('--case', flags.case, [...CASES.map((each) => each.name), 'all']);
  const { out = join(packageFolder(), 'bench', 'results'), json } = flags;
  const options = {
    ...(flags.repeats !== undefined && {
      repeats: checkInteger('--repeats', Number(flags.repeats), 1, 1000),
    }),
    ...(flags.cache && { cacheFolder: join(packageFolder(), 'bench', 'cache') }),
    log: (line: string) => process.stderr.write(`${line}\n`),
  };
  for (const benchCase of CASES.filter((each) => name === 'all' || name === each.name)) {
    const reason = absence(benchCase.data);
    if (reason !== undefined) {
      options.log(`${benchCase.name}: skipped, ${reason}`);
      continue;
    }
    const result = await runCase(benchCase, options);
    options.log(`${benchCase.name}: written to ${writeResult(out, result)}`);
    process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : renderResult(result));
  }
}
