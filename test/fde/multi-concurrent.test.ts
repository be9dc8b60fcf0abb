import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeanMultiIndex } from '../../src/index.js';
import {
  build,
  closeAtEnd,
  codeOf,
  expectBest,
  expectExact,
  kept,
  Mirror,
  queryOf,
  SMALL,
  saved,
  single,
  some,
  sourceOf,
} from './multi-support.js';

closeAtEnd();

const call = fc.record({
  kind: fc.constantFrom('add', 'addGiven', 'update', 'delete', 'compact', 'save', 'search'),
  seed: fc.integer({ min: 1, max: 1e6 }),
  /** Turns of the event loop before it. */
  turns: fc.integer({ min: 0, max: 2 }),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

/** Calls that do not wait for each other. */
class Crowd {
  readonly mirror = new Mirror();
  readonly running: Promise<unknown>[] = [];
  private readonly index: LeanMultiIndex;
  /** Ids given to additions that have not ended. */
  private readonly given = new Set<number>();
  private nextGiven = 1000;

  constructor(index: LeanMultiIndex) {
    this.index = index;
  }

  start({ kind, seed }: Call): void {
    const { ids } = this.mirror;
    const one = ids[seed % Math.max(1, ids.length)];
    const run = {
      add: () => this.add(seed, undefined),
      addGiven: () => this.add(seed, Uint32Array.of(this.nextGiven + 1, this.nextGiven)),
      update: () => (one === undefined ? undefined : this.update(one, seed)),
      delete: () => this.delete([...ids, ...this.given].filter((id) => (id + seed) % 4 === 0)),
      compact: () => this.index.compact(),
      save: () => this.save(),
      search: () => this.search(seed),
    }[kind];
    this.running.push(Promise.resolve(run()));
  }

  private async add(seed: number, ids: Uint32Array | undefined): Promise<void> {
    this.nextGiven += 2;
    for (const id of ids ?? []) this.given.add(id);
    const sets = some(seed, 2);
    const added = await this.index.add(sets, ids && { ids });
    const [first, second] = [...added];
    const isThere = (id: number) => ids === undefined || this.given.delete(id);
    const all = new Mirror();
    all.set([first!, second!], sets);
    for (const [id, tokens] of all.documents) {
      if (isThere(id)) this.mirror.documents.set(id, tokens);
    }
  }

  private async update(id: number, seed: number): Promise<void> {
    const tokens = queryOf(seed, 1 + (seed % 5));
    const code = await codeOf(async () => {
      await this.index.update(id, tokens);
      this.mirror.set([id], single(tokens));
    });
    expect([undefined, 'NOT_FOUND']).toContain(code);
    if (code !== undefined) expect(this.mirror.documents.has(id)).toBe(false);
  }

  private async delete(ids: number[]): Promise<void> {
    const deleting = this.index.delete(ids);
    for (const id of ids) {
      this.mirror.documents.delete(id);
      this.given.delete(id);
      expect(this.index.has(id)).toBe(false);
    }
    expect(await deleting).toBe(ids.length);
  }

  private async save(): Promise<void> {
    const bytes = await saved(this.index, {}, () => new Promise(setImmediate));
    const loaded = kept((await LeanMultiIndex.load(sourceOf(bytes))).index);
    const mirror = new Mirror();
    for (const id of loaded.ids()) mirror.documents.set(id, loaded.tokensOf(id)!);
    expectExact(loaded, mirror, 1);
  }

  private async search(seed: number): Promise<void> {
    const query = queryOf(seed, 3);
    const many = { candidates: 500, ef: 500 };
    expectBest(this.index.search(query, 6, many), this.mirror.best(query, 6));
    const { ids } = await this.index.searchAsync(query, 6, many);
    for (const id of ids) expect(this.index.has(id)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  }
}

test.each([
  ['an exact index', 1000],
  ['a graph', 0],
  ['one that becomes a graph', 45],
])('calls that do not wait for each other leave what they should: %s', async (_, exactBelow) => {
  const property = fc.asyncProperty(
    fc.array(call, { maxLength: 25, size: 'max' }),
    async (calls) => {
      const index = await build(some(1, 30), { tokenBits: 32, exactBelow, fde: SMALL });
      const crowd = new Crowd(index);
      crowd.mirror.set(index.ids(), some(1, 30));
      for (const each of calls) {
        for (let turn = 0; turn < each.turns; turn++) await new Promise(setImmediate);
        crowd.start(each);
      }
      await Promise.all(crowd.running);
      expect([...index.ids()]).toEqual(crowd.mirror.ids);
      expect(index.count).toBe(crowd.mirror.documents.size);
      expectExact(index, crowd.mirror, 2);
      const again = kept(LeanMultiIndex.fromBytes(index.toBytes()));
      expectExact(again, crowd.mirror, 3);
      await index.close();
    },
  );
  await fc.assert(property, { seed: 1, numRuns: 25 });
});
