import { type Command, InvalidArgumentError, Option } from 'commander';
import { table } from '../../bench/markdown.js';
import { readWhole } from '../../datasets/file-stream.js';
import { npyBlocks, openNpy } from '../../datasets/npy-stream.js';
import { checkInteger, checkOneOf } from '../base/check.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import type { PointId } from '../base/point-id.js';
import type { Collection } from '../db/collection.js';
import type { Query, TextQuery } from '../db/query-types.js';
import type { Filter, Hit, PayloadSelection } from '../db/types.js';
import { parseJson, toJson } from '../server/wire/json.js';
import { between, given, json, several, whole } from './flags.js';
import { withDatabase } from './with-database.js';

interface QueryFlags {
  vector?: string;
  row?: number;
  id?: PointId;
  text?: string;
  textField?: string;
  operator?: 'any' | 'all' | 'phrase';
  using?: string;
  filter?: unknown;
  k: number;
  offset?: number;
  ef?: number;
  exact?: boolean;
  scoreThreshold?: number;
  payload?: true | string[];
  withVector?: boolean;
  json?: boolean;
}

/** Candidates of each list that a hybrid query fuses, at the least. */
const HYBRID_CANDIDATES = 50;
const PAYLOAD_CHARACTERS = 80;
const K_MAX = 16_384;

export function addQueryCommand(program: Command): void {
  const payload = (text: string, before: true | string[] | undefined) =>
    several(text, Array.isArray(before) ? before : []);
  program
    .command('query')
    .description('find points by a vector, a point or words; beside a process that writes, too')
    .argument('<folder>', 'of the database')
    .argument('<collection>', 'its name')
    .option('--vector <json|file|->', 'numbers as JSON, a .json or .npy file, or standard input')
    .option('--row <n>', 'of the .npy file (default: 0)', whole(0, 2 ** 52))
    .option('--id <id>', 'look for what is near to this point', pointId)
    .option('--text <words>', 'look for words; with --vector too, both lists are fused')
    .option('--text-field <field>', 'that has the words (default: the only one with an index)')
    .addOption(
      new Option('--operator <which>', 'of the words: any, all, or all in this order').choices([
        'any',
        'all',
        'phrase',
      ]),
    )
    .option('--using <name>', 'which vector, where points have several')
    .option('--filter <json>', 'only points that match', json)
    .option('--k <n>', 'results wanted', whole(1, K_MAX), 10)
    .option('--offset <n>', 'results left out before them', whole(0, 2 ** 31))
    .option('--ef <n>', 'beam width of the search', whole(1, K_MAX))
    .option('--exact', 'compare with every stored vector')
    .option('--score-threshold <x>', 'only results at least as good', between(-Infinity, Infinity))
    .option('--payload [paths]', 'show payloads, or these parts of them', payload)
    .option('--with-vector', 'show vectors, with --json')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runQuery);
}

const EXAMPLES = `
Examples:
  leandex query ./data docs --vector '[0.1, 0.2, 0.3]' --k 5 --payload title,year
  leandex query ./data docs --id 7 --filter '{"must":[{"key":"lang","match":{"value":"en"}}]}'
  leandex query ./data docs --text 'winter shoes' --payload
  leandex query ./data docs --vector queries.npy --row 3 --json
  my-embedder 'winter shoes' | leandex query ./data docs --vector - --text 'winter shoes'
`;

async function runQuery(folder: string, name: string, flags: QueryFlags): Promise<void> {
  if (flags.vector === undefined && flags.id === undefined && flags.text === undefined) {
    throw outOfRange('what to look for', 'one of --vector, --id and --text', 'none');
  }
  const vector = flags.vector === undefined ? undefined : await readVector(flags.vector, flags.row);
  const hits = await withDatabase(folder, { readOnly: true }, async (db, run) => {
    const collection = await db.collection(name, run);
    const query = await queryOf(collection, vector, flags);
    return collection.query({ ...query, signal: run.signal as AbortSignal });
  });
  process.stdout.write(flags.json ? `${toJson({ hits: hits.map(asJson) })}\n` : asTable(hits));
}

async function queryOf(
  collection: Collection,
  vector: Query['vector'],
  flags: QueryFlags,
): Promise<Query> {
  const { id, using, k, offset, ef, exact, scoreThreshold, withVector } = flags;
  const payload = flags.payload as PayloadSelection | undefined;
  const filter = flags.filter as Filter | undefined;
  const shown = {
    limit: k,
    withPayload: payload ?? false,
    ...given({ offset, scoreThreshold, withVector }),
  };
  const search = given({ using, ef, exact });
  const nearest = [vector !== undefined && { vector }, id !== undefined && { id }].filter(Boolean);
  if (nearest.length > 1) throw outOfRange('what to look for', 'one of --vector and --id', 'both');
  const [target] = nearest as [
    { vector: NonNullable<typeof vector> } | { id: PointId } | undefined,
  ];
  if (flags.text === undefined) {
    return { ...target, ...search, ...shown, ...given({ filter }) } as Query;
  }
  const text = await textOf(collection, flags.text, flags);
  if (target === undefined) return { text, ...shown, ...given({ filter }) };
  const limit = Math.max(HYBRID_CANDIDATES, 2 * (k + (offset ?? 0)));
  const prefetch = [
    { ...target, ...search, limit },
    { text, limit },
  ] as Query['prefetch'];
  return { prefetch, fusion: 'rrf', ...shown, ...given({ filter }) } as Query;
}

async function textOf(
  collection: Collection,
  match: string,
  { textField, operator }: QueryFlags,
): Promise<TextQuery> {
  const fields = Object.keys((await collection.info()).textIndexes);
  if (fields.length === 0) {
    const how = 'leandex ingest … --text-index <field> makes one';
    throw new LeandexError('NOT_FOUND', `${collection.name} has no index of words: ${how}`);
  }
  const field = textField ?? (fields.length === 1 ? fields[0] : undefined);
  return { field: checkOneOf('--text-field', field, fields)!, match, ...given({ operator }) };
}

/** JSON as it stands or in a file, a row of a .npy file, or JSON from standard input. */
async function readVector(text: string, row: number | undefined): Promise<Query['vector']> {
  if (text.endsWith('.npy')) return readRow(text, row ?? 0);
  if (row !== undefined) throw outOfRange('--row', 'of a .npy file', row);
  if (/^\s*[[{]/.test(text)) return parseVector('--vector', Buffer.from(text));
  if (text !== '-') return parseVector(text, Buffer.from(await readWhole(text)));
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return parseVector('standard input', Buffer.concat(parts));
}

async function readRow(path: string, row: number): Promise<Float32Array> {
  const file = await openNpy(path);
  const width = file.shape.at(-1) ?? 1;
  const rows = file.shape.reduce((product, size) => product * size, 1) / width;
  checkInteger('--row', row, 0, rows - 1);
  for await (const block of npyBlocks(file, row * width, (row + 1) * width, width)) return block;
  throw outOfRange(path, 'an array of numbers', 'an empty one');
}

function parseVector(what: string, bytes: Buffer): Query['vector'] {
  try {
    return parseJson(bytes) as Query['vector'];
  } catch (error) {
    throw outOfRange(what, `a vector as JSON (${(error as Error).message})`, bytes.toString());
  }
}

/** Digits are an integer; quotes make a string of them. */
function pointId(text: string): PointId {
  if (/^\d+$/.test(text)) {
    return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  }
  if (!text.startsWith('"')) return text;
  const value = json(text);
  if (typeof value === 'string') return value;
  throw new InvalidArgumentError('It must be an integer or a string.');
}

function asJson({ vector, ...hit }: Hit): object {
  return vector === undefined ? hit : { ...hit, vector: plainVector(vector) };
}

/** Typed arrays as arrays, at any depth. */
function plainVector(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (Array.isArray(value)) return value.map(plainVector);
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([name, one]) => [name, plainVector(one)]));
}

function asTable(hits: readonly Hit[]): string {
  if (hits.length === 0) return 'no results\n';
  const hasPayload = hits.some(({ payload }) => payload !== undefined);
  const head = ['id', 'score', ...(hasPayload ? ['payload'] : [])];
  const rows = hits.map(({ id, score, payload }) => [
    String(id),
    score.toFixed(4),
    ...(hasPayload ? [shortened(toJson(payload ?? null))] : []),
  ]);
  return `${table(head, rows)}\n`;
}

function shortened(text: string): string {
  return text.length <= PAYLOAD_CHARACTERS ? text : `${text.slice(0, PAYLOAD_CHARACTERS - 1)}…`;
}
