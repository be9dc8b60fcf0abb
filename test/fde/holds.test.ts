import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Holds } from '../../src/fde/holds.js';

test('a thing is freed as soon as all have ended that began before it was given up', () => {
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom('begin', 'end', 'retire'), at: fc.nat() }),
  );
  const property = fc.property(steps, (sequence) => {
    const holds = new Holds();
    const running: { end: () => void; name: number }[] = [];
    /** Each thing given up, and the holds that it waits for. */
    const waiting = new Map<number, Set<number>>();
    const freed = new Set<number>();
    for (const [name, { kind, at }] of sequence.entries()) {
      if (kind === 'begin') {
        running.push({ end: holds.begin(), name });
      } else if (kind === 'retire') {
        waiting.set(name, new Set(running.map((hold) => hold.name)));
        holds.retire(() => freed.add(name));
      } else if (running.length > 0) {
        const [ended] = running.splice(at % running.length, 1);
        ended!.end();
        // A second time changes nothing.
        ended!.end();
        for (const before of waiting.values()) before.delete(ended!.name);
      }
      const expected = [...waiting].filter(([, before]) => before.size === 0).map(([n]) => n);
      expect([...freed].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
      expect(holds.areRunning).toBe(running.length > 0);
    }
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});
