import { type Command, Option } from 'commander';
import { readWhole } from '../../datasets/file-stream.js';
import { encodeNpy } from '../../datasets/npy.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import { type RunOptions, runSteps } from '../base/steps.js';
import { open } from '../db/open.js';
import { nodeFileSystem } from '../format/file-system.js';
import { readHnswlibSteps } from '../format/hnswlib.js';
import { replaceFile } from '../format/replace-file.js';
import { importHnswlib } from '../graph/import-hnswlib.js';
import { cancellable } from './cancel.js';
import { whole } from './flags.js';

interface ImportFlags {
  dimensions: number;
  space: keyof typeof DISTANCES;
  out?: string;
  into?: string;
  collection?: string;
  json?: boolean;
}

/** What hnswlib calls the distances. */
const DISTANCES = { l2: 'Euclid', ip: 'Dot', cosine: 'Cosine' } as const;
const LABEL_MAX = 2n ** 63n;

export function addImportHnswlibCommand(program: Command): void {
  program
    .command('import-hnswlib')
    .description('take the vectors of an index of hnswlib, or hnswlib-node, over')
    .argument('<file>', 'that saveIndex, writeIndex or save_index wrote')
    .requiredOption('--dimensions <n>', 'numbers in a vector', whole(1, 16_384))
    .addOption(
      new Option('--space <name>', 'of the index: the file does not tell')
        .choices(Object.keys(DISTANCES))
        .makeOptionMandatory(),
    )
    .option('--out <file>', 'write an index for LeanIndex, and <file>.labels.npy')
    .option('--into <folder>', 'write points into a new collection of this database')
    .option('--collection <name>', 'with --into: its name; labels become ids')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runImport);
}

const EXAMPLES = `
Elements that are marked as deleted are left out. With --space cosine the vectors are those of unit length that the
file has. The vector with id i of the written index had the i-th of the labels, an array of int64.

Examples:
  leandex import-hnswlib index.bin --dimensions 384 --space cosine --into ./data --collection docs
  leandex import-hnswlib index.bin --dimensions 384 --space l2 --out index.leandex
`;

async function runImport(path: string, flags: ImportFlags): Promise<void> {
  const { out, into, collection, json } = flags;
  if ((out === undefined) === (into === undefined)) {
    const received = out === undefined ? 'neither' : 'both';
    throw outOfRange('where to', 'one of --out and --into', received);
  }
  if ((into === undefined) !== (collection === undefined)) {
    throw outOfRange('--collection', 'given with --into, and only then', collection);
  }
  const count = await cancellable(async (run) => {
    const bytes = await readWhole(path);
    return out === undefined
      ? toCollection(bytes, flags as Required<ImportFlags>, run)
      : toFile(bytes, out, flags, run);
  });
  const where = out === undefined ? { folder: into, collection } : { out };
  const text = `${count.toLocaleString('en-US')} vectors, in ${out ?? `collection ${collection}`}`;
  process.stdout.write(`${json ? JSON.stringify({ count, ...where }) : text}\n`);
}

async function toFile(
  bytes: Uint8Array,
  out: string,
  { dimensions, space }: ImportFlags,
  run: Required<RunOptions>,
): Promise<number> {
  const options = { dimensions, distance: DISTANCES[space], ...run };
  const { index, labels } = await importHnswlib(bytes, options);
  try {
    if (labels.some((label) => label >= LABEL_MAX)) {
      throw new LeandexError('UNSUPPORTED', 'a label is 2^63 or more: use --into');
    }
    const asSigned = new BigInt64Array(labels.buffer, labels.byteOffset, labels.length);
    const encoded = encodeNpy([labels.length], asSigned);
    await replaceFile(nodeFileSystem, `${out}.labels.npy`, (write) => write(encoded));
    await replaceFile(nodeFileSystem, out, (write) => index.save(write, run));
    return index.count;
  } finally {
    await index.close();
  }
}

async function toCollection(
  bytes: Uint8Array,
  { dimensions, space, into, collection: name }: Required<ImportFlags>,
  run: Required<RunOptions>,
): Promise<number> {
  const { vectors, labels, count } = await runSteps(readHnswlibSteps(bytes, dimensions), run);
  if (new Set(labels).size < count) {
    throw new LeandexError('UNSUPPORTED', 'labels occur more than once: use --out');
  }
  function* points() {
    for (let i = 0; i < count; i++) {
      yield { id: labels[i]!, vector: vectors.subarray(i * dimensions, (i + 1) * dimensions) };
    }
  }
  const db = await open(into, { signal: run.signal });
  try {
    const vectorConfig = { size: dimensions, distance: DISTANCES[space] };
    const collection = await db.createCollection(name, { vectors: vectorConfig });
    const { onProgress } = run;
    await collection.upsert(points(), {
      signal: run.signal,
      onProgress: ({ phase, done }) => onProgress?.({ phase, done, total: count }),
    });
    await collection.optimize(run);
    return await collection.count();
  } finally {
    await db.close();
  }
}
