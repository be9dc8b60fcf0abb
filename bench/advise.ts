import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { ADVISE_CASES } from './advise/cases.js';
import { render, TOLERANCE, type Verified, verify } from './advise/verify.js';
import { currentCommit, describeMachine, type Machine } from './machine.js';

/**
 * Whether the advisor keeps its promises: it is given the data and half of the queries, an index of
 * all vectors is built as it recommends, and searched with the other half.
 * `npm run bench:advise [case …]`: all by default; those whose data are absent are skipped.
 */

/** With when and where it was measured. */
type Stamped = Verified & {
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  /** What an unseen set said when it was first asked, before anything could be chosen by it. */
  readonly first?: Pick<Verified, 'search' | 'expected' | 'measured' | 'isKept'> & {
    readonly date: string;
    readonly commit: string | null;
  };
};

const wanted = process.argv.slice(2);
const results: Verified[] = [];
const machine = describeMachine();
for (const each of ADVISE_CASES) {
  if (wanted.length > 0 && !wanted.includes(each.name)) continue;
  const result = await verify(each);
  if (result === undefined) {
    console.error(`${each.name}: skipped, the data set is absent`);
    continue;
  }
  results.push(result);
  console.error(`${each.name}: ${result.adviseSeconds.toFixed(1)} s`);
}
const file = join(packageFolder(), 'bench', 'results', 'advise.json');
const now = { date: new Date().toISOString(), commit: currentCommit(), machine };
// A run of some cases takes their place among what is there.
const before: Stamped[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).results : [];
const stamped = results.map((result): Stamped => {
  const { name, unseen, search, expected, measured, isKept } = result;
  const first = { ...{ search, expected, measured, isKept }, date: now.date, commit: now.commit };
  const known = before.find((each) => each.name === name)?.first;
  return { ...result, ...now, ...(unseen && { first: known ?? first }) };
});
const all = ADVISE_CASES.flatMap(({ name }) => {
  const found = [...stamped, ...before].find((result) => result.name === name);
  return found === undefined ? [] : [found];
});
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ tolerance: TOLERANCE, results: all }, null, 2)}\n`);
console.log(render(results));
if (results.some(({ isKept }) => !isKept)) process.exitCode = 1;
