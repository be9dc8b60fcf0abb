import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate } from '../../src/server/gate.js';

const stay = () => new AbortController().signal;

describe('the gate', () => {
  test('lets so many in, keeps so many waiting, refuses the rest', async () => {
    const gate = new Gate(2, 1);
    const [first] = await Promise.all([gate.enter(stay()), gate.enter(stay())]);
    const third = gate.enter(stay());
    await expect(gate.enter(stay())).rejects.toThrow(/too many requests wait/);
    expect(gate.counts).toEqual({ working: 2, waiting: 1 });
    first!();
    await third;
    expect(gate.counts).toEqual({ working: 2, waiting: 0 });
  });

  test('whoever goes away while waiting takes no place', async () => {
    const gate = new Gate(1, 5);
    const leave = await gate.enter(stay());
    const going = new AbortController();
    const gone = gate.enter(going.signal);
    const next = gate.enter(stay());
    going.abort();
    await expect(gone).rejects.toThrow(/waited too long/);
    leave();
    (await next)();
    expect(gate.counts).toEqual({ working: 0, waiting: 0 });
  });

  test('leaving twice gives no second place', async () => {
    const gate = new Gate(1, 0);
    const leave = await gate.enter(stay());
    leave();
    leave();
    await gate.enter(stay());
    await expect(gate.enter(stay())).rejects.toThrow();
  });

  // Against a model: sets of those that are in and that wait, in order.
  test('counts as a list does, whatever comes and goes', async () => {
    const step = fc.oneof(
      fc.constant({ kind: 'enter' as const, at: 0 }),
      fc.record({ kind: fc.constantFrom('leave' as const, 'abort' as const), at: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const gate = new Gate(3, 4);
        const inside: (() => void)[] = [];
        const waiting: AbortController[] = [];
        for (const { kind, at } of steps) {
          if (kind === 'enter') {
            const controller = new AbortController();
            const isRefused = inside.length === 3 && waiting.length === 4;
            const entered = gate.enter(controller.signal);
            if (isRefused) {
              await expect(entered).rejects.toThrow();
              continue;
            }
            waiting.push(controller);
            entered.then(
              (leave) => {
                waiting.splice(waiting.indexOf(controller), 1);
                inside.push(leave);
              },
              () => waiting.splice(waiting.indexOf(controller), 1),
            );
          } else if (kind === 'leave') {
            inside.splice(at % Math.max(1, inside.length), 1)[0]?.();
          } else {
            waiting[at % Math.max(1, waiting.length)]?.abort();
          }
          await new Promise(setImmediate);
          expect(gate.counts).toEqual({ working: inside.length, waiting: waiting.length });
          expect(waiting.length === 0 || inside.length === 3).toBe(true);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});
