import { afterAll, expect } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { AddOptions } from '../../src/graph/options.js';
import {
  type IndexSource,
  LeanMultiIndex,
  type LeanMultiIndexOptions,
  type TokenSets,
} from '../../src/index.js';
import { chamfer, setAt, tokenSets, unitTokens } from './token-sets.js';

/** Numbers in a token of these tests. */
export const D = 24;
/** Encodings of 64 numbers, which are soon trained for. */
export const SMALL = { repetitions: 2, projectedDimensions: 8 } as const;

const open: LeanMultiIndex[] = [];

/** Closed at the end. */
export async function build(
  sets: TokenSets,
  options: Partial<LeanMultiIndexOptions & AddOptions> = {},
): Promise<LeanMultiIndex> {
  return kept(await LeanMultiIndex.build(sets, { dimensions: D, fdeDimensions: 640, ...options }));
}

export function kept(index: LeanMultiIndex): LeanMultiIndex {
  open.push(index);
  return index;
}

export function closeAtEnd(): void {
  afterAll(async () => {
    for (const index of open) await index.close();
  });
}

/** `count` documents of 1 … 12 tokens. */
export function some(seed: number, count: number): TokenSets {
  const random = new Random(seed);
  return tokenSets(
    seed,
    Array.from({ length: count }, () => 1 + random.below(12)),
    D,
  );
}

export const single = (tokens: Float32Array): TokenSets => ({
  tokens,
  offsets: Uint32Array.of(0, tokens.length / D),
});

export const queryOf = (seed: number, rows = 5) => unitTokens(new Random(seed), rows, D);

/** Documents by id, with exact MaxSim in float64: what an index should hold. */
export class Mirror {
  readonly documents = new Map<number, Float32Array>();

  set(ids: Iterable<number>, sets: TokenSets): void {
    let i = 0;
    for (const id of ids) this.documents.set(id, setAt(sets, i++, D).slice());
  }

  get ids(): number[] {
    return [...this.documents.keys()].sort((a, b) => a - b);
  }

  best(query: Float32Array, k: number, keep: (id: number) => boolean = () => true) {
    return [...this.documents]
      .filter(([id]) => keep(id))
      .map(([id, tokens]) => ({ id, score: chamfer(query, tokens, D) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k);
  }
}

/** That a result is what the mirror gives. */
export function expectBest(
  { ids, scores }: { ids: Uint32Array; scores: Float32Array },
  expected: ReturnType<Mirror['best']>,
): void {
  expect([...ids]).toEqual(expected.map(({ id }) => id));
  expected.forEach(({ score }, i) => {
    expect(scores[i]).toBeCloseTo(score, 3);
  });
}

/** That a search with every document as candidate is exhaustive MaxSim. */
export function expectExact(index: LeanMultiIndex, mirror: Mirror, seed: number): void {
  const query = queryOf(seed);
  const count = Math.max(1, mirror.documents.size);
  const k = Math.min(8, count);
  expectBest(index.search(query, k, { candidates: count, ef: count }), mirror.best(query, k));
}

/** Code and message of what a call throws or rejects with; neither where it does not. */
export async function errorOf(run: () => unknown): Promise<{ code?: string; message?: string }> {
  try {
    await run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
}

export const codeOf = async (run: () => unknown) => (await errorOf(run)).code;

/** What save() hands over, in one array; `onPart` hears of each part first. */
export async function saved(
  index: LeanMultiIndex,
  options: Parameters<LeanMultiIndex['save']>[1] = {},
  onPart: (part: number) => unknown = () => {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await index.save(async (part) => {
    await onPart(parts.length);
    parts.push(part.slice());
  }, options);
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes as a file gives them: later, and at most so many reads. */
export function sourceOf(bytes: Uint8Array, reads = Infinity): IndexSource {
  return {
    byteLength: bytes.length,
    async read(into, offset) {
      if (reads-- <= 0) throw new Error('the disk is gone');
      await Promise.resolve();
      into.set(bytes.subarray(offset, offset + into.length));
    },
  };
}
