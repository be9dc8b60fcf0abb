import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { ADVISE_CASES } from './advise/cases.js';
import { render, TOLERANCE, type Verified, verify } from './advise/verify.js';
import { currentCommit, describeMachine } from './machine.js';

/**
 * Whether the advisor keeps its promises: it is given the data and half of the queries, an index of
 * all vectors is built as it recommends, and searched with the other half.
 * `npm run bench:advise [case …]`: all by default; those whose data are absent are skipped.
 */

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
if (wanted.length === 0) {
  const folder = join(packageFolder(), 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  const content = { date, commit: currentCommit(), machine, tolerance: TOLERANCE, results };
  writeFileSync(join(folder, 'advise.json'), `${JSON.stringify(content, null, 2)}\n`);
}
console.log(render(results));
if (results.some(({ isKept }) => !isKept)) process.exitCode = 1;
