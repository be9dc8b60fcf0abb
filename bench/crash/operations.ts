import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import type { Point } from '../../src/db/types.js';

export const DIMENSIONS = 8;
export const TOKEN_DIMENSIONS = 4;
const TOKENS_MAX = 5;
const IDS = 400;
const KINDS = 5;
/** All sparse vectors have the index 0, and all texts this word. */
export const COMMON_WORD = 'all';

/** A write, known in full from the seed and its number. */
export type Operation =
  | { kind: 'upsert'; points: Point[] }
  | { kind: 'delete'; ids: number[] }
  | { kind: 'delete where'; k: number }
  | { kind: 'set payload'; ids: number[]; tag: number }
  | { kind: 'update vectors'; points: { id: number; vector: Partial<EntryVectors> }[] }
  | { kind: 'optimize' };

/** One vector, several that are compared as one, and one that is sparse. */
export interface EntryVectors {
  one: number[];
  many: number[][];
  few: { indices: number[]; values: number[] };
}

/** What a point is, as the ledger has it and as it is read back. */
export interface Entry {
  payload: Record<string, number | string>;
  vector: EntryVectors;
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
  const one = () => Array.from({ length: DIMENSIONS }, () => random.below(2001) - 1000);
  // No zeros: they have no direction.
  const token = () => Array.from({ length: TOKEN_DIMENSIONS }, () => random.below(1000) + 1);
  const many = () => Array.from({ length: random.below(TOKENS_MAX) + 1 }, token);
  const few = () => ({
    indices: [0, 1 + random.below(50), 0xffff_ff00 + random.below(50)],
    values: [1 + random.below(9), random.below(9), random.below(9)],
  });
  const roll = random.below(100);
  if (roll < 60) {
    const points = ids(40).map((id) => ({
      id,
      vector: { one: one(), many: many(), few: few() },
      payload: { batch: number, k: random.below(KINDS), text: textOf(number) },
    }));
    return { kind: 'upsert', points };
  }
  if (roll < 75) return { kind: 'delete', ids: ids(20) };
  if (roll < 78) return { kind: 'delete where', k: random.below(KINDS) };
  if (roll < 88) return { kind: 'set payload', ids: ids(20), tag: number };
  if (roll < 96) {
    const changed = () =>
      [{ one: one() }, { many: many() }, { few: few() }][random.below(3)] as Partial<EntryVectors>;
    return { kind: 'update vectors', points: ids(2).map((id) => ({ id, vector: changed() })) };
  }
  return { kind: 'optimize' };
}

function textOf(number: number): string {
  return `${COMMON_WORD} of number ${number % 10}`;
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
        { tag: operation.tag, text: textOf(operation.tag) },
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
          payload: { ...(payload as Entry['payload']) },
          vector: vector as unknown as EntryVectors,
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
        if (entry === undefined) continue;
        const { tag } = operation;
        entry.payload = { ...entry.payload, tag, text: textOf(tag) };
      }
      return;
    case 'update vectors':
      if (!operation.points.every(({ id }) => ledger.has(id))) return;
      for (const { id, vector } of operation.points) {
        const entry = ledger.get(id)!;
        entry.vector = { ...entry.vector, ...vector };
      }
      return;
    case 'optimize':
  }
}

/** A ledger as a text that is equal where ledgers are. */
export function digestOf(ledger: Ledger): string {
  const entries = [...ledger].sort(([a], [b]) => a - b);
  return JSON.stringify(
    entries.map(
      ([
        id,
        {
          payload,
          vector: { one, many, few },
        },
      ]) => [id, Object.entries(payload).sort(), one, many, few],
    ),
  );
}
