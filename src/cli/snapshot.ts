import type { Command } from 'commander';
import { withDatabase } from './with-database.js';

export function addSnapshotCommand(program: Command): void {
  program
    .command('snapshot')
    .description('copy a collection to one new file, also beside a process that writes')
    .argument('<folder>', 'of the database')
    .argument('<collection>', 'its name')
    .argument('<file>', 'new, outside of the folder')
    .option('--restore', 'the other way: make this collection, which is not there yet, of the file')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runSnapshot);
}

const EXAMPLES = `
Examples:
  leandex snapshot ./data docs docs.snapshot
  leandex snapshot ./other docs docs.snapshot --restore
`;

async function runSnapshot(
  folder: string,
  name: string,
  file: string,
  { restore, json }: { restore?: boolean; json?: boolean },
): Promise<void> {
  const readOnly = restore !== true;
  const done = await withDatabase(
    folder,
    { readOnly },
    async (db, run): Promise<Record<string, number>> => {
      if (restore) {
        return { points: await (await db.restoreCollection(name, file, run)).count() };
      }
      const collection = await db.collection(name, run);
      return { bytes: await collection.snapshot(file, { signal: run.signal }) };
    },
  );
  const [[unit, amount]] = Object.entries(done) as [[string, number]];
  const text = `${name}: ${amount.toLocaleString('en-US')} ${unit}`;
  process.stdout.write(`${json ? JSON.stringify({ collection: name, ...done }) : text}\n`);
}
