import { expect, test } from 'vitest';
import { LeandexError } from '../../src/base/errors.js';
import { drain } from '../../src/base/steps.js';
import type { NodeMemory } from '../../src/graph/memory.js';
import { withWorkforce } from '../../src/graph/phase.js';
import type { Scratch } from '../../src/graph/scratch.js';
import type { Crew } from '../../src/threads/crew.js';

/** A memory with room for so many scratches, and those that are out. */
function memoryFor(room: number) {
  const out = new Set<Scratch>();
  const nodes = {
    takeScratch() {
      if (out.size === room) throw new LeandexError('RESOURCE_EXHAUSTED', 'full');
      const scratch = {} as Scratch;
      out.add(scratch);
      return scratch;
    },
    giveBack: (scratch: Scratch) => void out.delete(scratch),
  };
  return { nodes: nodes as unknown as NodeMemory, out };
}

const crew: Crew = { threads: 4, isHere: false, run: async () => [] };

test.each([
  [9, 4],
  [4, 4],
  [3, 3],
  [1, 1],
])('with room for %i of four threads %i work', (room, threads) => {
  const { nodes, out } = memoryFor(room);
  const work = drain(
    withWorkforce(nodes, crew, function* (workforce) {
      expect(workforce.scratches).toHaveLength(threads);
      yield undefined;
      expect(out.size).toBe(threads);
      return workforce.crew.threads;
    }),
  );
  expect(work).toBe(threads);
  expect(out.size).toBe(0);
});

test('with room for none there is an error', () => {
  const { nodes } = memoryFor(0);
  const work = withWorkforce(nodes, crew, function* () {});
  expect(() => drain(work)).toThrow(expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }));
});
