import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { regressions } from './regression/compare.js';
import { measureWork } from './regression/measure.js';

/**
 * Counts the work of small builds and searches and compares it with bench/regression/baseline.json:
 * `npm run bench:regression`, which fails where work or bytes grew or recall fell by more than the
 * tolerances of bench/regression/compare.ts. `npm run bench:regression -- --renew` writes the baseline.
 */

const BASELINE = join(packageFolder(), 'bench', 'regression', 'baseline.json');

const now = await measureWork();
if (process.argv.includes('--renew')) {
  writeFileSync(BASELINE, `${JSON.stringify(now, null, 2)}\n`);
  process.stdout.write(`${BASELINE} is renewed\n`);
} else {
  const found = regressions(JSON.parse(readFileSync(BASELINE, 'utf8')), now);
  process.stdout.write(`${JSON.stringify(now, null, 2)}\n`);
  for (const line of found) process.stderr.write(`worse than the baseline: ${line}\n`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
