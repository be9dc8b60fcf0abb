import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCrashes } from '../../bench/crash/run.js';
import { emptyFolder } from './support.js';

const child = fileURLToPath(new URL('../../dist/bench/crash/child.js', import.meta.url));

test('a process that is killed while it writes loses nothing that was acknowledged', async () => {
  const report = await runCrashes({ folder: emptyFolder(), seed: 20, rounds: 12, child });
  expect(report.rounds).toBe(12);
  expect(report.acknowledged).toBeGreaterThan(50);
});
