import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { checkInteger, checkOneOf } from '../src/base/check.js';
import { absence } from './data.js';
import { currentCommit, describeMachine } from './machine.js';
import { type GroupResult, measureGroup } from './settings/measure.js';
import { GROUPS } from './settings/plan.js';
import { type SettingsResult, settingsTable } from './settings/table.js';

/**
 * What the options of an index are worth: recall, distances a query, time and bytes, group by group
 * (settings/plan.ts). Writes bench/results/settings.json; with a group only prints that.
 * `npm run bench:settings [rounds] [group]`, by default 5 rounds and all groups.
 */

const [text = '5', only] = process.argv.slice(2);
const rounds = checkInteger('rounds', Number(text), 1, 100);
const names = GROUPS.map(({ name }) => name);
if (only !== undefined) checkOneOf('the group', only, names);

const begun = { date: new Date().toISOString(), commit: currentCommit() };
const machine = describeMachine();
const groups: GroupResult[] = [];
for (const group of GROUPS) {
  if (only !== undefined && group.name !== only) continue;
  const reason = absence(group.data);
  if (reason !== undefined) {
    console.error(`${group.name}: skipped, ${reason}`);
    continue;
  }
  console.error(`${group.name}: ${group.variants.length} indexes`);
  groups.push(await measureGroup(group, rounds));
  const result: SettingsResult = { ...begun, machine, rounds, groups };
  console.log(`${settingsTable(result, group.name)}\n`);
}
if (only === undefined && groups.length > 0) {
  const path = join(packageFolder(), 'bench', 'results', 'settings.json');
  const result: SettingsResult = { ...begun, machine, rounds, groups };
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  console.log(path);
}
