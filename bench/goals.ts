import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { checkInteger } from '../src/base/check.js';
import {
  compressionLoss,
  eventLoop,
  growth,
  loadGoalsData,
  parallelBuild,
} from './goals/measure.js';
import type { GoalsResult } from './goals/result.js';
import { buildTable, eventLoopTable, growthTable, lossTable } from './goals/tables.js';
import { currentCommit, describeMachine } from './machine.js';

/**
 * The goals that need no opponent: recall lost to compression at the same ef, what ten times the data
 * cost, the speed-up of a build with all cores, and how long the event loop waits for anything
 * asynchronous. Writes bench/results/goals.json, or goals-<data set>.json of another set.
 * `npm run bench:goals [data set] [rounds]`, by default wordnet-mpnet768 and 3.
 */

const DEFAULT_SET = 'wordnet-mpnet768';
const [set = DEFAULT_SET, text = '3'] = process.argv.slice(2);
const rounds = checkInteger('rounds', Number(text), 1, 100);

const data = loadGoalsData(set);
const begun = { set, date: new Date().toISOString(), commit: currentCommit(), rounds };
const machine = describeMachine();
const result: GoalsResult = {
  ...begun,
  machine,
  eventLoop: await eventLoop(data),
  builds: await parallelBuild(data, rounds),
  growth: await growth(data, rounds),
  loss: await compressionLoss(data, rounds),
};
const file = set === DEFAULT_SET ? 'goals.json' : `goals-${set}.json`;
const path = join(packageFolder(), 'bench', 'results', file);
writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
for (const render of [eventLoopTable, buildTable, growthTable, lossTable]) {
  console.log(`${render(result)}\n`);
}
console.log(path);
