import { mkdirSync } from 'node:fs';
import type { Command } from 'commander';
import { HOSTS, PUBLIC_SETS, publicSet } from '../../datasets/download/catalogue.js';
import { downloadsFolder } from '../../datasets/shared.js';
import { checkInteger } from '../base/check.js';
import { benchConsole } from './bench-console.js';

interface DownloadFlags {
  to?: string;
  mirror?: string;
  bytesMost?: string;
}

const GIB = 2 ** 30;

export function addDatasetsCommand(program: Command): void {
  const datasets = program
    .command('datasets')
    .description('public data sets for the benchmarks; nothing is downloaded unless told to');
  datasets
    .command('list')
    .description('list what can be downloaded, and whether it is here')
    .option('--to <folder>', 'where downloads go (default: $LEANDEX_DATASETS, datasets/downloads)')
    .option('--json', 'print JSON')
    .action(listSets);
  datasets
    .command('download')
    .description('download a set, check it and unpack it; an interrupted download goes on')
    .argument('<names...>', 'names of the list')
    .option('--to <folder>', 'where it goes (default: $LEANDEX_DATASETS, datasets/downloads)')
    .option('--mirror <url>', 'instead of the public host, an address with files of the same names')
    .option('--bytes-most <n>', `refuse files, and archives unpacked, above this (${16 * GIB})`)
    .action(downloadSets);
}

function folderOf({ to }: { to?: string }): string {
  const configured = process.env.LEANDEX_DATASETS;
  return to ?? (configured !== undefined && configured !== '' ? configured : downloadsFolder());
}

async function listSets(flags: { to?: string; json?: boolean }): Promise<void> {
  const { isDownloaded } = await import('../../datasets/download/download.js');
  const folder = folderOf(flags);
  const sets = PUBLIC_SETS.map((set) => ({ ...set, isHere: isDownloaded(set, folder) }));
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(sets)}\n`);
    return;
  }
  const lines = Object.keys(HOSTS).flatMap((layout) => [
    `${layout}:`,
    ...sets
      .filter((set) => set.layout === layout)
      .map(({ name, about, isHere }) => `  ${name.padEnd(28)} ${about}${isHere ? ' (here)' : ''}`),
  ]);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function downloadSets(names: string[], flags: DownloadFlags): Promise<void> {
  const sets = names.map(publicSet);
  const { downloadSet } = await import('../../datasets/download/download.js');
  const folder = folderOf(flags);
  const bytesMost =
    flags.bytesMost === undefined
      ? undefined
      : checkInteger('--bytes-most', Number(flags.bytesMost), 1, Number.MAX_SAFE_INTEGER);
  mkdirSync(folder, { recursive: true });
  const controller = new AbortController();
  const abort = () => controller.abort('interrupted');
  const { line, progress, stop } = benchConsole();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    for (const set of sets) {
      const path = await downloadSet(set, {
        ...{ folder, mirror: flags.mirror, bytesMost, signal: controller.signal },
        onProgress: (file, done, total) => progress({ phase: file, done, total: total || done }),
      });
      line(`${set.name}: ${path}`);
    }
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
    stop();
  }
}
