import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WriteTurns } from '../../src/server/write-turns.js';

test('a write that is alone runs after all before it and before all after it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ isAlone: fc.boolean(), fails: fc.boolean() }), { maxLength: 12 }),
      fc.scheduler(),
      async (writes, scheduler) => {
        const turns = new WriteTurns();
        const log: string[] = [];
        const results = writes.map(({ isAlone, fails }, i) =>
          turns[isAlone ? 'alone' : 'side'](async () => {
            log.push(`begin ${i}`);
            await scheduler.schedule(Promise.resolve(), `${i}`);
            log.push(`end ${i}`);
            if (fails) throw new Error(`${i}`);
            return i;
          }).catch((error: Error) => Number(error.message)),
        );
        await scheduler.waitFor(Promise.all(results));
        expect(await Promise.all(results)).toEqual(writes.map((_, i) => i));
        writes.forEach(({ isAlone }, i) => {
          if (!isAlone) return;
          const [begin, end] = [log.indexOf(`begin ${i}`), log.indexOf(`end ${i}`)];
          expect(end).toBe(begin + 1);
          writes.forEach((_, j) => {
            if (j < i) expect(log.indexOf(`end ${j}`)).toBeLessThan(begin);
            if (j > i) expect(log.indexOf(`begin ${j}`)).toBeGreaterThan(end);
          });
        });
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});
