import { describe, expect, test } from 'vitest';
import { Shard } from '../../src/graph/shard.js';

const layout = { dimensions: 1, distance: 'Euclid' as const, m: 4, model: undefined };

describe('a shard', () => {
  test('takes free slots first, then new ones', () => {
    const shard = new Shard(layout, 10, false);
    expect([...shard.takeSlots(3)]).toEqual([0, 1, 2]);
    shard.nodes.ensureNodes(3);
    shard.fill(Uint32Array.of(0, 1, 2));
    shard.remove(1);
    expect(shard.live).toBe(2);
    expect([...shard.takeSlots(3)]).toEqual([1, 3, 4]);
  });

  test('reclaims any number of slots, in order', () => {
    const shard = new Shard(layout, 10, false);
    const slots = Array.from({ length: 300_000 }, (_, i) => 299_999 - i);
    for (const slot of slots) shard.dead.add(slot);
    shard.reclaim(slots);
    expect([shard.dead.size, shard.free.length, shard.free[7]]).toEqual([0, 300_000, 7]);
  });
});
