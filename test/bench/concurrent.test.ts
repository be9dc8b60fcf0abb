import { expect, test } from 'vitest';
import { inFlight } from '../../bench/concurrent.js';

test('every task runs once, and never more at a time than wanted', async () => {
  const started: number[] = [];
  let underWay = 0;
  let most = 0;
  await inFlight(20, 3, async (i) => {
    started.push(i);
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, i % 4));
    underWay--;
  });
  expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(3);
});

test('a task that fails is an error of all', async () => {
  const task = (i: number) => (i === 1 ? Promise.reject(new Error('no')) : Promise.resolve());
  await expect(inFlight(3, 2, task)).rejects.toThrow('no');
  await inFlight(0, 2, task);
});
