import type { Command } from 'commander';
import { open } from '../db/open.js';
import { progressBar } from './progress.js';

export function addSnapshotCommand(program: Command): void {
  program
    .command('snapshot')
    .description('copy a collection to one new file, also beside a process that writes')
    .argument('<folder>', 'of the database')
    .argument('<collection>', 'its name')
    .argument('<file>', 'new, outside of the folder')
    .option('--restore', 'the other way: make this collection, which is not there yet, of the file')
    .option('--json', 'print one JSON object and nothing else')
    .action(runSnapshot);
}

async function runSnapshot(
  folder: string,
  name: string,
  file: string,
  { restore, json }: { restore?: boolean; json?: boolean },
): Promise<void> {
  const db = await open(folder, { readOnly: restore !== true });
  try {
    const done = restore ? { points: await restored() } : { bytes: await copied() };
    const [[unit, amount]] = Object.entries(done) as [[string, number]];
    const text = `${name}: ${amount.toLocaleString('en-US')} ${unit}`;
    process.stdout.write(`${json ? JSON.stringify({ collection: name, ...done }) : text}\n`);
  } finally {
    await db.close();
  }

  async function copied(): Promise<number> {
    return (await db.collection(name)).snapshot(file);
  }

  async function restored(): Promise<number> {
    const bar = progressBar();
    try {
      const collection = await db.restoreCollection(name, file, { onProgress: bar.update });
      return await collection.count();
    } finally {
      bar.stop();
    }
  }
}
