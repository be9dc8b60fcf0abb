import { absence, loadData } from './data.js';
import { measureGroup } from './settings/measure.js';
import { type GroupResult, type Settings, settingsTable } from './settings/result.js';
import { GROUPS } from './settings/variants.js';
import { stampLine, stampOf, writeStamped } from './stamped.js';

/**
 * What the options are worth: recall, distances, bytes and times against the default's, group by group.
 * `npm run bench:settings [rounds] [group …]`, by default 5 and all; these write
 * bench/results/settings.json, and anything less is for looking at. Groups whose data are absent are
 * skipped.
 */

const DEFAULT_ROUNDS = 5;
const ROUNDS = Number(process.argv[2] ?? DEFAULT_ROUNDS);
const wanted = process.argv.slice(3);

const stamp = stampOf('settings');
console.log(stampLine(stamp));
const groups: GroupResult[] = [];
for (const each of GROUPS) {
  const { group, data: source, queries } = each;
  if (wanted.length > 0 && !wanted.includes(group)) continue;
  const why = absence(source);
  if (why !== undefined) {
    console.log(`\n${group}: skipped, ${why}`);
    continue;
  }
  const data = await loadData({ data: source, queries: queries.asked + queries.training });
  const rows = await measureGroup(each, data, ROUNDS);
  const result = { group, data: data.info, asked: queries.asked, rows };
  groups.push(result);
  console.log(`\n${group}\n\n${settingsTable({ groups: [result] }, group)}`);
}
if (wanted.length === 0 && ROUNDS >= DEFAULT_ROUNDS) {
  writeStamped<Settings>({ ...stamp, rounds: ROUNDS, groups });
}
