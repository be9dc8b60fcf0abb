import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Distance } from '../../src/base/distance.js';
import type { Suite, Task } from './suite.js';

export interface OwnData {
  /** A file or folder of vectors, as datasets/vectors.ts reads it. */
  readonly corpus: string;
  readonly queriesFile?: string;
  readonly distance: Distance;
}

const CONTENDERS = [
  'leandex',
  'leandex compact',
  'hnswlib M16',
  'usearch f16 M16',
  'zvec int8 M16',
];
/** These take a filter. */
const FILTERING = ['leandex', 'hnswlib M16', 'zvec int8 refined M16'];
/** Of these it is told what the graph and the codes lose. */
const JUDGED = ['leandex', 'leandex compact', 'leandex originals', 'hnswlib M16'];

/** A suite for the data of a user: curves and filters, and judgements where there are qrels/test.tsv. */
export function ownSuite({ corpus, queriesFile, distance }: OwnData): Suite {
  const path = resolve(corpus);
  const name = basename(path).replaceAll(/[^A-Za-z0-9._-]/g, '-');
  const queries = queriesFile === undefined ? {} : { queriesFile: resolve(queriesFile) };
  const data = { kind: 'files', corpus: path, ...queries } as const;
  const common = { data, distance, queries: 500, repeats: 3, measureMs: 100 } as const;
  const tasks: Task[] = [
    { kind: 'ann', name, ...common, contenders: CONTENDERS, k: [10, 100] },
    {
      ...{ kind: 'filtered', name: `${name}-filtered`, ...common, queries: 100 },
      ...{ contenders: FILTERING, shares: [0.5, 0.1, 0.01], ef: 128, seed: 1 },
    },
  ];
  if (existsSync(join(path, 'qrels', 'test.tsv'))) {
    tasks.push({
      ...{ kind: 'ir', name: `${name}-judged`, ...common, contenders: JUDGED },
      ...{ judgements: {}, ef: 160, efs: [100, 160, 320] },
    });
  }
  return { name: 'own', description: `The vectors of ${name}.`, tasks };
}
