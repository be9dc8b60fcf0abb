import { type Command, Option } from 'commander';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import type { Database } from '../db/database.js';
import type { FieldSchema, Point } from '../db/types.js';
import { several, whole } from './flags.js';
import { type CreateFlags, collectionFor } from './ingest/create.js';
import type { FieldNames } from './ingest/records.js';
import { FORMATS, type Format, openSource, type PointSource } from './ingest/sources.js';
import { writePoints } from './ingest/write.js';
import { withDatabase } from './with-database.js';

interface IngestFlags extends FieldNames, CreateFlags {
  format?: Format;
  payloadIndex?: string[];
  textIndex?: string[];
  optimize: boolean;
  json?: boolean;
}

export function addIngestCommand(program: Command): void {
  const choice = (flags: string, text: string, choices: readonly string[]) =>
    new Option(flags, text).choices(choices);
  program
    .command('ingest')
    .description('write points from a file into a collection, which is made if there is none')
    .argument('<folder>', 'of the database, made if there is none')
    .argument('<collection>', 'its name')
    .argument('<file>', `${FORMATS.join(', ')}; or - for jsonl from standard input`)
    .addOption(choice('--format <name>', 'default: by the ending of the file', FORMATS))
    .option('--id <field>', 'that has the id', 'id')
    .option('--vector <field>', 'that has the vector', 'vector')
    .option('--vectors <field>', 'that has several vectors by name', 'vectors')
    .option('--payload <field>', 'that has the payload; without it all other fields are', 'payload')
    .option('--using <name>', 'name of the vector, where a collection has several')
    .option(
      '--first-id <n>',
      'number the points from here on (npy and vecs: default 0)',
      whole(0, Number.MAX_SAFE_INTEGER),
    )
    .addOption(
      choice('--distance <name>', 'of a new collection (default: Cosine)', [
        'Cosine',
        'Dot',
        'Euclid',
      ]),
    )
    .addOption(choice('--preset <name>', 'of a new collection', ['default', 'compact']))
    .addOption(
      choice('--originals <form>', 'what a new collection stores of vectors', [
        'float32',
        'float16',
        'none',
      ]),
    )
    .option('--payload-index <field:type>', 'index a field for filters; may be repeated', several)
    .option('--text-index <field>', 'index words of a field for query --text', several)
    .option('--no-optimize', 'leave the building of the graph for later')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runIngest);
}

const EXAMPLES = `
A line of jsonl, or a row of Parquet, is a point: { "id": 7, "vector": [0.1, …], "payload": { "lang": "en" } }.
The first point tells how long the vectors of a new collection are. A point takes the place of one with
its id. After an error, or Ctrl-C, whole batches before it stay; the same command may be given again.

Examples:
  leandex ingest ./data docs docs.jsonl --payload-index lang:keyword
  zcat docs.jsonl.gz | leandex ingest ./data docs -
  leandex ingest ./data images train.npy --distance Dot --preset compact
  leandex ingest ./data docs rows.parquet --id doc_id --vector embedding
`;

async function runIngest(
  folder: string,
  name: string,
  file: string,
  flags: IngestFlags,
): Promise<void> {
  const source = await openSource(file, flags.format, flags);
  const done = await withDatabase(folder, { readOnly: false }, async (db, run) => {
    try {
      return await ingest(db, name, source, flags, run);
    } finally {
      source.close();
    }
  });
  const count = done.written.toLocaleString('en-US');
  const text = `${name}: ${count} points written${done.isNew ? ', a new collection' : ''}`;
  process.stdout.write(`${flags.json ? JSON.stringify(done) : text}\n`);
}

async function ingest(
  db: Database,
  name: string,
  source: PointSource,
  flags: IngestFlags,
  run: RunOptions,
) {
  const points = abortable(source, run.signal as AbortSignal);
  const first = await points.next();
  const peeked = first.done ? undefined : first.value;
  const { collection, isNew } = await collectionFor(db, name, peeked, flags);
  let written: number;
  try {
    for (const { field, type } of (flags.payloadIndex ?? []).map(parseIndex)) {
      await collection.createPayloadIndex(field, type as FieldSchema & string, run);
    }
    for (const field of flags.textIndex ?? []) await collection.createTextIndex(field, run);
    const all = peeked === undefined ? points : withFirst(peeked, points);
    written = await writePoints(collection, all, source, run);
  } catch (error) {
    // Flags about a new collection can be given again then.
    if (isNew && (await collection.count()) === 0) await db.deleteCollection(name);
    throw error;
  }
  if (flags.optimize) await collection.optimize(run);
  return { collection: name, written, points: await collection.count(), isNew };
}

async function* withFirst(first: Point, rest: AsyncIterable<Point>): AsyncGenerator<Point> {
  yield first;
  yield* rest;
}

/** Points until the signal fires, also while the next one is waited for. */
async function* abortable(source: PointSource, signal: AbortSignal): AsyncGenerator<Point> {
  signal.addEventListener('abort', source.close, { once: true });
  try {
    for await (const point of source.points()) {
      throwIfAborted(signal);
      yield point;
    }
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal.removeEventListener('abort', source.close);
    source.close();
  }
  throwIfAborted(signal);
}

/** A field and its type, after the last colon. */
function parseIndex(text: string): { field: string; type: string } {
  const at = text.lastIndexOf(':');
  return at < 0
    ? { field: text, type: 'keyword' }
    : { field: text.slice(0, at), type: text.slice(at + 1) };
}
