import type { Command } from 'commander';
import { readLabels } from '../../datasets/labels.js';
import { readVectors } from '../../datasets/vectors.js';
import { type Advice, advise, type DistanceName } from '../index.js';
import { cancellable } from './cancel.js';
import { between, whole } from './flags.js';

interface AdviseFlags {
  queries?: string;
  labels?: string;
  distance?: string;
  recall?: number;
  k?: number;
  memory?: number;
  count?: number;
  training?: boolean;
  json?: boolean;
}

export function addAdviseCommand(program: Command): void {
  program
    .command('advise')
    .argument(
      '<data>',
      'a file of vectors (.npy, .fvecs, .ivecs, .bvecs, .parquet, .hdf5), or a folder with ' +
        'corpus.npy and queries.npy, or as VectorDBBench has it',
    )
    .description('recommend distance, codes and beam for vectors, with what to expect and why')
    .option('--queries <file>', 'queries of the kind to come (default: those of the data, if any)')
    .option('--labels <file>', 'the class of each vector: .npy of integers, or one a line')
    .option('--distance <name>', 'what the model was trained for (default: one is recommended)')
    .option('--recall <share>', 'the recall that is wanted (default: .95)', between(0.5, 0.999))
    .option('--k <n>', 'neighbours that a search asks for (default: 10)', whole(1, 1000))
    .option('--memory <bytes>', 'bytes a vector that the index may take', between(0, Infinity))
    .option(
      '--count <n>',
      'vectors that the index will hold (default: those given)',
      whole(1, 2 ** 32),
    )
    .option('--no-training', 'for collections, which are not trained with queries')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runAdvise);
}

const EXAMPLES = `
Examples:
  leandex advise vectors.npy
  leandex advise vectors.npy --queries queries.npy --distance cosine --recall 0.99 --count 1000000
`;

async function runAdvise(path: string, flags: AdviseFlags): Promise<void> {
  const { recall, k, memory, count } = flags;
  const wish = {
    // The library says what is wrong with a name.
    distance: flags.distance as DistanceName | undefined,
    labels: flags.labels === undefined ? undefined : readLabels(flags.labels),
    trainWithQueries: flags.training,
    ...{ recall, k, memory, count },
  };
  const advice = await cancellable(async (run) => {
    // Rows that ask, where there are no queries, are drawn by the advisor.
    const read = await readVectors(path, { queriesPath: flags.queries, heldOut: 0, ...run });
    const { corpus, dimensions } = read;
    const queries = read.queries.length === 0 ? undefined : read.queries;
    return advise(corpus, { dimensions, queries, ...wish, ...run });
  });
  process.stdout.write(flags.json === true ? `${JSON.stringify(advice)}\n` : renderAdvice(advice));
}

/** What a person reads. */
export function renderAdvice(advice: Advice): string {
  const { settings, search, expected, trainWithQueries, reasons, warnings } = advice;
  const { count, k, recall, bytesPerVector, bytes } = expected;
  const size = `${Math.round(bytesPerVector)} bytes a vector, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const { dimensions, distance, ...index } = settings;
  const vectors = { size: dimensions, distance, index };
  const lines = [
    'In memory',
    `  LeanIndex.build(vectors, ${JSON.stringify(settings)})`,
    ...(trainWithQueries ? ['  with queries: a sample of those to come'] : []),
    `  search(query, ${k}, ${JSON.stringify(search)})`,
    trainWithQueries
      ? 'As a collection, which is not trained with queries: ask again with --no-training'
      : 'As a collection',
    `  createCollection(name, ${JSON.stringify({ vectors })})`,
    `  query({ vector, limit: ${k}, ef: ${search.ef} })`,
    'Over HTTP',
    `  PUT /collections/{name} ${JSON.stringify(createBodyOf(settings))}`,
    `  POST /collections/{name}/points/query {"query":[…],"limit":${k},"params":{"hnsw_ef":${search.ef}}}`,
    '',
    `Expected of ${count.toLocaleString('en-US')} vectors: recall@${k} ${recall.toFixed(3)}, ${size}`,
    '',
    'Because',
    ...reasons.map(({ about, text }) => `  ${about}: ${text}`),
  ];
  if (warnings.length > 0) {
    lines.push('', 'Warnings', ...warnings.map(({ code, text }) => `  ${code}: ${text}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The body that creates a collection of these settings over HTTP. */
export function createBodyOf({ dimensions, distance, m, ...codes }: Advice['settings']): object {
  const leanvec = Object.fromEntries(
    Object.entries(codes).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
      value,
    ]),
  );
  const vectors = {
    ...{ size: dimensions, distance, quantization_config: { leanvec } },
    ...(m !== undefined && { hnsw_config: { m } }),
  };
  return { vectors };
}
