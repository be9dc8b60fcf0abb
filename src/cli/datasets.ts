import { mkdirSync } from 'node:fs';
import type { Command } from 'commander';
import { HOSTS, PUBLIC_SETS, publicSet } from '../../datasets/download/catalogue.js';
import { downloadsFolder } from '../../datasets/shared.js';
import { outOfRange } from '../base/errors.js';
import { cancellable } from './cancel.js';
import { whole } from './flags.js';

interface DownloadFlags {
  to?: string;
  mirror?: string;
  bytesMost?: number;
  json?: boolean;
}

const GIB = 2 ** 30;

const DOWNLOAD_EXAMPLES = `
Examples:
  leandex datasets download scifact nfcorpus
  leandex datasets download sift-128-euclidean --to ./sets
`;

export function addDatasetsCommand(program: Command): void {
  const datasets = program
    .command('datasets')
    .description('public data sets for the benchmarks; nothing is downloaded unless told to');
  datasets
    .command('list')
    .description('list what can be downloaded, and whether it is here')
    .option('--to <folder>', 'where downloads go (default: $LEANDEX_DATASETS, datasets/downloads)')
    .option('--json', 'print one JSON array and nothing else')
    .addHelpText('after', '\nExample:\n  leandex datasets list\n')
    .action(listSets);
  datasets
    .command('download')
    .description('download a set, check it and unpack it; an interrupted download goes on')
    .argument('<names...>', 'names of the list')
    .option('--to <folder>', 'where it goes (default: $LEANDEX_DATASETS, datasets/downloads)')
    .option('--mirror <url>', 'instead of the public host, an address with files of the same names')
    .option(
      '--bytes-most <n>',
      `refuse files, and archives unpacked, above this (${16 * GIB})`,
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', DOWNLOAD_EXAMPLES)
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
  if (flags.mirror !== undefined && !/^https?:\/\/./.test(flags.mirror)) {
    throw outOfRange('--mirror', 'an address that begins with http:// or https://', flags.mirror);
  }
  const folder = folderOf(flags);
  const { mirror, bytesMost } = flags;
  mkdirSync(folder, { recursive: true });
  const folders = await cancellable(async ({ signal, onProgress }) => {
    const made: Record<string, string> = {};
    for (const set of sets) {
      made[set.name] = await downloadSet(set, {
        ...{ folder, mirror, bytesMost, signal },
        onProgress: (_file, done, total) =>
          onProgress({ phase: 'load', done, total: total || done }),
      });
    }
    return made;
  });
  if (flags.json === true) return void process.stdout.write(`${JSON.stringify(folders)}\n`);
  for (const [name, path] of Object.entries(folders)) process.stdout.write(`${name}: ${path}\n`);
}
