import type { Command } from 'commander';
import type { CollectionInfo } from '../db/info.js';
import { withDatabase } from './with-database.js';

export function addOptimizeCommand(program: Command): void {
  program
    .command('optimize')
    .description('build what is to be built, repair and give space back, and save the indexes')
    .argument('<folder>', 'of the database')
    .argument('<collection>', 'its name')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runOptimize);
}

const EXAMPLES = `
New vectors go into the graph, which is trained anew where the data have drifted; deleted ones leave it. A process that
writes does all that in the background: this is for folders that nothing else has open, after ingest --no-optimize say.

Example:
  leandex optimize ./data docs
`;

async function runOptimize(
  folder: string,
  name: string,
  { json }: { json?: boolean },
): Promise<void> {
  const [before, after] = await withDatabase(folder, { readOnly: false }, async (db, run) => {
    const collection = await db.collection(name, run);
    const before = sizesOf(await collection.info());
    await collection.optimize(run);
    return [before, sizesOf(await collection.info())] as const;
  });
  const text = `${name}: ${after.indexed.toLocaleString('en-US')} vectors in the graph, ${before.indexed.toLocaleString('en-US')} before`;
  process.stdout.write(`${json ? JSON.stringify({ collection: name, before, after }) : text}\n`);
}

function sizesOf({ count, vectors, bytes }: CollectionInfo) {
  const indexed = Object.values(vectors).reduce((sum, { indexed }) => sum + indexed, 0);
  return { points: count, indexed, bytes };
}
