import type { Command } from 'commander';
import { table } from '../../bench/markdown.js';
import type { CollectionInfo } from '../db/info.js';
import { withDatabase } from './with-database.js';

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description(
      'tell what the collections of a folder consist of; beside a process that writes, too',
    )
    .argument('<folder>', 'of the database')
    .argument('[collection]', 'only this one')
    .option('--json', 'print one JSON object a collection and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runInspect);
}

const EXAMPLES = `
Examples:
  leandex inspect ./data
  leandex inspect ./data docs --json
`;

async function runInspect(
  folder: string,
  only: string | undefined,
  { json }: { json?: boolean },
): Promise<void> {
  const infos = await withDatabase(folder, { readOnly: true }, async (db, run) => {
    const names = only === undefined ? await db.listCollections() : [only];
    const infos: CollectionInfo[] = [];
    for (const name of names) infos.push(await (await db.collection(name, run)).info());
    return infos;
  });
  const lines = infos.map((info) => `${JSON.stringify(info)}\n`).join('');
  process.stdout.write(json ? lines : asTable(infos));
}

function asTable(infos: readonly CollectionInfo[]): string {
  const head = ['collection', 'vector', 'size', 'distance', 'points', 'in graph', 'status', 'MB'];
  const rows = infos.flatMap((info) =>
    Object.entries(info.vectors).map(([name, { size, distance, count, indexed }]) => [
      info.name,
      name === '' ? '-' : name,
      String(size),
      distance,
      count.toLocaleString('en-US'),
      indexed.toLocaleString('en-US'),
      info.status,
      (info.bytes.disk / 1e6).toFixed(1),
    ]),
  );
  return rows.length === 0 ? 'no collections\n' : `${table(head, rows)}\n`;
}
