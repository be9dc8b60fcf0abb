import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCrashes } from './run.js';

/**
 * Kills a writing process again and again and looks for what is lost.
 * `npm run crash [rounds] [seed]`, by default 1,000 rounds and a seed of the clock, which is printed.
 */
const rounds = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'leandex-crash-'));
console.log(`seed ${seed}, ${rounds} rounds in ${folder}`);
let acknowledged = 0;
const report = await runCrashes({
  folder,
  seed,
  rounds,
  child: fileURLToPath(new URL('./child.js', import.meta.url)),
  onRound(round, count) {
    acknowledged += count;
    if ((round + 1) % 50 === 0) console.log(`${round + 1} rounds, ${acknowledged} acknowledged`);
  },
});
rmSync(folder, { recursive: true });
console.log(
  `${report.rounds} rounds: ${report.acknowledged} operations acknowledged, none lost; ` +
    `${report.underWay} were under way at a kill, ${report.completed} of them done as a whole`,
);
