import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FREE, TokenMemory } from '../../src/fde/token-memory.js';
import { Kernels } from '../../src/kernels/index.js';

const RECORD_BYTES = 4096;
/** As many records as a segment of a megabyte holds. */
const SEGMENT_RECORDS = 255;

/** Fills a document's records with bytes that tell it from others. */
function fill(memory: TokenMemory, slot: number, value: number): void {
  const { address, count } = memory.documentAt(slot);
  memory.kernels.u8(address, count * RECORD_BYTES).fill(value);
}

function holdsOnly(memory: TokenMemory, slot: number, value: number): boolean {
  const { address, count } = memory.documentAt(slot);
  return memory.kernels.u8(address, count * RECORD_BYTES).every((byte) => byte === value);
}

const newMemory = () => new TokenMemory(new Kernels(), RECORD_BYTES);
const bytesOf = (count: number) => 16 + count * RECORD_BYTES;

type Step = { add: number } | { remove: number } | { hold: true } | { release: true };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 90 }) }) },
    { weight: 1, arbitrary: fc.record({ add: fc.integer({ min: 200, max: 400 }) }) },
    { weight: 6, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ hold: true } as const) },
    { weight: 1, arbitrary: fc.constant({ release: true } as const) },
  ),
  { maxLength: 60 },
);

describe('the memory of tokens', () => {
  test('keeps every document as it was written, whatever comes and goes', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const memory = newMemory();
        const live = new Map<number, number>();
        /** Held: slots and addresses that nobody may touch. */
        const held: { release: () => void; bytes: [number, number, number][] }[] = [];
        const letGo = () => {
          const hold = held.pop();
          for (const [address, length, value] of hold?.bytes ?? []) {
            expect(memory.kernels.u8(address, length).every((byte) => byte === value)).toBe(true);
          }
          hold?.release();
        };
        for (const [at, step] of sequence.entries()) {
          if ('add' in step) {
            const slot = memory.place(step.add);
            expect(live.has(slot)).toBe(false);
            live.set(slot, (at % 250) + 1);
            fill(memory, slot, (at % 250) + 1);
          } else if ('remove' in step) {
            const slots = [...live.keys()];
            const slot = slots[step.remove % Math.max(1, slots.length)];
            if (slot === undefined) continue;
            live.delete(slot);
            memory.remove(slot);
            expect(memory.countOf(slot)).toBe(FREE);
          } else if ('hold' in step) {
            const bytes = [...live].map(([slot, value]): [number, number, number] => {
              const { address, count } = memory.documentAt(slot);
              return [address, count * RECORD_BYTES, value];
            });
            held.push({ release: memory.hold(), bytes });
          } else {
            letGo();
          }
          for (const [slot, value] of live) expect(holdsOnly(memory, slot, value)).toBe(true);
        }
        while (held.length > 0) letGo();
        for (const [slot, value] of live) expect(holdsOnly(memory, slot, value)).toBe(true);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('does not grow while as much comes as goes', () => {
    const memory = newMemory();
    const slots: number[] = [];
    const sizes = [3, 60, 17, 0, 41, 120, 8];
    for (let i = 0; i < 100; i++) slots.push(memory.place(sizes[i % 7]!));
    const fill = memory.bytes;
    let most = 0;
    for (let i = 0; i < 3000; i++) {
      memory.remove(slots.shift()!);
      slots.push(memory.place(sizes[(i * 5) % 7]!));
      most = Math.max(most, memory.kernels.usedBytes);
    }
    expect(most).toBeLessThan(3 * fill);
    expect(memory.slotCount).toBeLessThanOrEqual(101);
  });

  test('has no more idle than needed bytes, but for one segment', () => {
    const memory = newMemory();
    const slots = Array.from({ length: 600 }, () => memory.place(20));
    // Every tenth stays: all segments become sparse.
    for (const slot of slots) if (slot % 10 !== 0) memory.remove(slot);
    expect(memory.bytes).toBeLessThan(2 * 60 * bytesOf(20) + 2 ** 20);
    const before = memory.kernels.usedBytes;
    for (let i = 0; i < 500; i++) memory.place(20);
    expect(memory.kernels.usedBytes).toBe(before);
  });

  test('holds documents larger than a segment, and uses their space again', () => {
    const memory = newMemory();
    const [small, large] = [memory.place(1), memory.place(4 * SEGMENT_RECORDS)];
    fill(memory, large, 7);
    fill(memory, small, 1);
    expect([holdsOnly(memory, large, 7), holdsOnly(memory, small, 1)]).toEqual([true, true]);
    const before = memory.kernels.usedBytes;
    memory.remove(large);
    memory.place(3 * SEGMENT_RECORDS);
    expect(memory.kernels.usedBytes).toBe(before);
  });

  test('reports what it cannot hold, and stays as it was', () => {
    const memory = newMemory();
    const slot = memory.place(2);
    expect(() => memory.place(2 ** 22)).toThrow(
      expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }),
    );
    expect(memory.place(1)).toBe(slot + 1);
    expect(memory.countOf(slot + 2)).toBe(FREE);
  });

  test('a hold ends once, however often it is let go', () => {
    const memory = newMemory();
    const slot = memory.place(1);
    const [first, second] = [memory.hold(), memory.hold()];
    first();
    first();
    memory.remove(slot);
    expect(memory.place(1)).not.toBe(slot);
    second();
    expect(memory.place(1)).toBe(slot);
  });
});
