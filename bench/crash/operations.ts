import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import type { Point } from '../../src/db/types.js';

export const DIMENSIONS = 8;
const IDS = 400;
const KINDS = 5;

/** A write, known in full from the seed and its number. */
export type Operation =
  | { kind: 'upsert'; points: Point[] }
  | { kind: 'delete'; ids: number[] }
  | { kind: 'delete where'; k: number }
  | { kind: 'set payload'; ids: number[]; tag: number }
  | { kind: 'update vectors'; points: { id: number; vector: number[] }[] }
  | { kind: 'optimize' };

/** What a point is, as the ledger has it and as it is read back. */
export interface Entry {
  payload: Record<string, number>;
  vector: number[];
}

export type Ledger = Map<number, Entry>;

/** The operation with this number: the same in the process that writes and in the one that keeps the ledger. */
export function operationAt(seed: number, number: number): Operation {
  const random = new Random((seed * 1_000_003 + number) >>> 0);
  const ids = (most: number) => {
    const chosen = new Set<number>();
    for (let i = random.below(most) + 1; i > 0; i--) chosen.add(random.below(IDS));
    return [...chosen];
  };
  const vector = () => Array.from({ length: DIMENSIONS }, () => random.below(2001) - 1000);
  const roll = random.below(100);
  if (roll < 60) {
    const points = ids(40).map((id) => ({
      id,
      vector: vector(),
      payload: { batch: number, k: random.below(KINDS) },
    }));
    return { kind: 'upsert', points };
  }
  if (roll < 75) return { kind: 'delete', ids: ids(20) };
  if (roll < 78) return { kind: 'delete where', k: random.below(KINDS) };
  if (roll < 88) return { kind: 'set payload', ids: ids(20), tag: number };
  if (roll < 96) {
    return { kind: 'update vectors', points: ids(2).map((id) => ({ id, vector: vector() })) };
  }
  return { kind: 'optimize' };
}

/** Does it. An update of a point that is not there is refused as a whole, which is no failure here. */
export async function perform(points: Collection, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case 'upsert':
      await points.upsert(operation.points);
      return;
    case 'delete':
      await points.delete(operation.ids);
      return;
    case 'delete where':
      await points.delete({ filter: { must: { key: 'k', match: { value: operation.k } } } });
      return;
    case 'set payload':
      await points.setPayload(
        { filter: { must: { has_id: operation.ids } } },
        { tag: operation.tag },
      );
      return;
    case 'update vectors':
      await points.updateVectors(operation.points).catch((error) => {
        if (error.code !== 'NOT_FOUND') throw error;
      });
      return;
    case 'optimize':
      await points.optimize();
  }
}

/** What it does to the ledger, which is changed. */
export function record(ledger: Ledger, operation: Operation): void {
  switch (operation.kind) {
    case 'upsert':
      for (const { id, vector, payload } of operation.points) {
        ledger.set(id as number, {
          payload: { ...(payload as Record<string, number>) },
          vector: [...(vector as number[])],
        });
      }
      return;
    case 'delete':
      for (const id of operation.ids) ledger.delete(id);
      return;
    case 'delete where':
      for (const [id, { payload }] of ledger) if (payload.k === operation.k) ledger.delete(id);
      return;
    case 'set payload':
      for (const id of operation.ids) {
        const entry = ledger.get(id);
        if (entry !== undefined) entry.payload = { ...entry.payload, tag: operation.tag };
      }
      return;
    case 'update vectors':
      if (!operation.points.every(({ id }) => ledger.has(id))) return;
      for (const { id, vector } of operation.points) ledger.get(id)!.vector = [...vector];
      return;
    case 'optimize':
  }
}

/** A ledger as a text that is equal where ledgers are. */
export function digestOf(ledger: Ledger): string {
  const entries = [...ledger].sort(([a], [b]) => a - b);
  return JSON.stringify(
    entries.map(([id, { payload, vector }]) => [id, Object.entries(payload).sort(), vector]),
  );
}
