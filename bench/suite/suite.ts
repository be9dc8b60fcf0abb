import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageFolder } from '../../datasets/package-folder.js';
import { checkInteger, checkOneOf } from '../../src/base/check.js';
import type { Distance } from '../../src/base/distance.js';
import { LeandexError, outOfRange } from '../../src/base/errors.js';
import { type BenchCase, CASES, type DataSource, type JudgementSource } from '../cases.js';
import { CONTENDERS, type Contender } from '../contenders.js';

/** Vectors and who is measured on them: a case of `bench/cases.ts`, changed or not, or other data. */
interface OnVectors {
  readonly name: string;
  readonly case?: string;
  readonly data?: DataSource;
  readonly distance?: Distance;
  readonly queries?: number;
  /** Names of CONTENDERS. */
  readonly contenders?: readonly string[];
  readonly efs?: readonly number[];
  readonly repeats?: number;
  readonly measureMs?: number;
}

/** Recall@k against exact search, and speed, on one thread and on all. */
export interface AnnTask extends OnVectors {
  readonly kind: 'ann';
  readonly k: readonly (10 | 100)[];
}

/** nDCG@10, recall@100 and MRR@10 by judgements, and where they are lost, at a beam width. */
export interface IrTask extends OnVectors {
  readonly kind: 'ir';
  readonly judgements: JudgementSource;
  readonly ef: number;
}

/** Recall and speed where only a share of the vectors is allowed. */
export interface FilteredTask extends OnVectors {
  readonly kind: 'filtered';
  readonly shares: readonly number[];
  readonly ef: number;
  readonly seed: number;
}

/** Recall after rounds in which vectors are deleted, added and replaced. */
export interface ChurnTask extends OnVectors {
  readonly kind: 'churn';
  readonly rounds: number;
  /** Of the vectors, deleted in a round; as many are added, and half as many replaced. */
  readonly share: number;
  readonly ef: number;
  readonly seed: number;
}

/** Documents of several vectors, ranked by MaxSim. */
export interface MultiTask {
  readonly kind: 'multi';
  readonly name: string;
  /** A folder of ../shared/datasets, or so many generated documents. */
  readonly documents: string | number;
  readonly queries: number;
  readonly candidates: readonly number[];
  readonly seed: number;
}

/** Compressed caches of a language model: errors at equal bytes. */
export interface KvTask {
  readonly kind: 'kv';
  readonly name: string;
  /** A folder of ../shared/datasets, or `generated`. */
  readonly cache: string;
  readonly layers: readonly [from: number, to: number];
  /** A cache of as many layers to calibrate with. */
  readonly calibration?: string;
  readonly seed: number;
}

export type Task = AnnTask | IrTask | FilteredTask | ChurnTask | MultiTask | KvTask;

/** A file of bench/suites, as its schema.json describes it. */
export interface Suite {
  readonly name: string;
  readonly description: string;
  readonly tasks: readonly Task[];
}

/** What a task on other data than a case's begins with. */
const STANDARD = {
  distance: 'Cosine',
  queries: 500,
  queriesMost: true,
  repeats: 3,
  measureMs: 100,
} as const;

const FOLDER = join(packageFolder(), 'bench', 'suites');

/** Names of the suites that ship. */
export function suiteNames(): string[] {
  const files = readdirSync(FOLDER).filter((file) => file !== 'schema.json');
  return files.map((file) => basename(file, '.json')).sort();
}

/**
 * A suite that ships, by its name, or that of a file ending in .json.
 * @throws LeandexError `NOT_FOUND` without the file or ajv, a development dependency; RangeError
 * `INVALID_ARGUMENT` for an unknown name or a file that breaks the schema, saying where.
 */
export async function readSuite(nameOrPath: string): Promise<Suite> {
  const isPath = nameOrPath.endsWith('.json');
  if (!isPath) checkOneOf('--suite', nameOrPath, suiteNames());
  const path = isPath ? nameOrPath : join(FOLDER, `${nameOrPath}.json`);
  if (!existsSync(path)) throw new LeandexError('NOT_FOUND', `there is no suite ${path}`);
  return checkSuite(path, parse(path));
}

/** The suite in parsed JSON; errors as for readSuite(). */
export async function checkSuite(what: string, value: unknown): Promise<Suite> {
  const { Ajv } = await loadAjv();
  const validate = new Ajv({ strictTypes: false }).compile(
    parse(join(FOLDER, 'schema.json')) as object,
  );
  if (!validate(value)) {
    const { instancePath, message = '', params } = validate.errors![0];
    const where = `${what}${instancePath === '' ? '' : ` at ${instancePath}`}`;
    throw outOfRange(where, `as bench/suites/schema.json says (${message})`, params);
  }
  const suite = value as Suite;
  for (const task of suite.tasks) {
    if (isOnVectors(task)) checkOnVectors(task);
    if (task.kind !== 'kv') continue;
    // xKV is measured in groups of three.
    checkInteger(`layers of ${task.name}, from … to`, task.layers[1] - task.layers[0], 3, 1000);
  }
  return suite;
}

/** Of what a schema cannot say: names, and beam widths that belong together. */
function checkOnVectors(task: VectorTask): void {
  const { name, kind, efs } = task;
  for (const k of kind === 'ann' ? task.k : kind === 'ir' ? ([100] as const) : ([10] as const)) {
    for (const contender of caseOf(task, k).contenders) {
      if (contender.efs.length > 0) continue;
      throw outOfRange(`efs of ${name}`, `some of at least ${k}, the k`, efs);
    }
  }
  if (efs?.some((ef, i) => i > 0 && ef <= efs[i - 1]!)) {
    throw outOfRange(`efs of ${name}`, 'in ascending order, each once', efs);
  }
  if (kind !== 'ir') return;
  // The funnel compares contenders at this beam width, or the next wider one.
  const widest = Math.min(...caseOf(task, 100).contenders.map((each) => each.efs.at(-1)!));
  if (task.ef > widest) throw outOfRange(`ef of ${name}`, `at most ${widest}`, task.ef);
}

export type VectorTask = Exclude<Task, MultiTask | KvTask>;

export function isOnVectors(task: Task): task is VectorTask {
  return task.kind !== 'multi' && task.kind !== 'kv';
}

/**
 * The case that a task measures.
 * @throws RangeError `INVALID_ARGUMENT` for a case or contender that there is not.
 */
export function caseOf(task: VectorTask, k: 10 | 100): BenchCase {
  const base = task.case === undefined ? STANDARD : baseCase(task.case);
  const { data = (base as BenchCase).data, distance, queries, repeats, measureMs } = task;
  const contenders = task.contenders?.map(contenderNamed) ?? (base as BenchCase).contenders;
  return {
    ...base,
    ...{ name: task.name, data, k },
    ...(distance !== undefined && { distance }),
    ...(queries !== undefined && { queries }),
    ...(repeats !== undefined && { repeats }),
    ...(measureMs !== undefined && { measureMs }),
    ...(task.kind === 'ir' && { judgements: task.judgements, queriesMost: true as const }),
    contenders: contenders.map((each) => ({
      ...each,
      // Sweeps begin at k, the fastest setting that there is, unless told otherwise.
      efs: task.efs?.filter((ef) => ef >= k) ?? [k, ...each.efs.filter((ef) => ef > k)],
    })),
  };
}

function baseCase(name: string): BenchCase {
  return CASES.find(
    (each) =>
      each.name ===
      checkOneOf(
        'case',
        name,
        CASES.map((one) => one.name),
      ),
  )!;
}

function contenderNamed(name: string): Contender {
  const names = CONTENDERS.map((each) => each.name);
  return CONTENDERS[names.indexOf(checkOneOf('a contender', name, names))];
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new LeandexError('CORRUPT', `${path}: expected JSON`, { cause });
  }
}

async function loadAjv() {
  try {
    return await import('ajv');
  } catch (cause) {
    throw new LeandexError('NOT_FOUND', 'suites need ajv: npm install', { cause });
  }
}
