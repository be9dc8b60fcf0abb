import { beforeAll, describe, expect, test } from 'vitest';
import { type Container, readContainer, writeContainer } from '../../src/format/container.js';
import { LeanMultiIndex, type LeanMultiIndexOptions } from '../../src/index.js';
import {
  build,
  closeAtEnd,
  codeOf,
  D,
  errorOf,
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
import { Random } from './support.js';
import { unitTokens } from './token-sets.js';

closeAtEnd();

const load = async (bytes: Uint8Array, reads?: number) =>
  kept((await LeanMultiIndex.load(sourceOf(bytes, reads))).index);
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe.each<[string, number, Partial<LeanMultiIndexOptions>]>([
  ['an empty index', 0, {}],
  ['an exact index', 90, {}],
  ['a graph', 300, { exactBelow: 100, tokenBits: 4, seed: 5 }],
  ['a graph of two shards', 300, { exactBelow: 100, shards: 2 }],
  ['pooled documents', 60, { pooling: { ratio: 2 } }],
  ['more than a part of tokens', 900, { tokenBits: 32, exactBelow: 5000 }],
])('%s', (_, count, options) => {
  let index: LeanMultiIndex;
  beforeAll(async () => {
    index = await build(some(1, count), { fde: SMALL, ...options });
    if (count > 0) await index.delete([3, 4, 5, count - 1]);
    if (count > 0) await index.update(7, queryOf(1, 3));
  });

  test('is saved as toBytes() gives it, with its meta', async () => {
    expect(same(await saved(index), index.toBytes())).toBe(true);
    const meta = { b: 'text', a: 1.5, c: true };
    const bytes = await saved(index, { meta });
    expect(same(bytes, index.toBytes({ meta: { c: true, a: 1.5, b: 'text' } }))).toBe(true);
    const loaded = await LeanMultiIndex.load(sourceOf(bytes));
    expect(loaded.meta).toEqual(meta);
    kept(loaded.index);
    expect((await LeanMultiIndex.load(sourceOf(index.toBytes()))).meta).toEqual({});
  });

  test('is loaded as fromBytes() reads it, and changes like the original', async () => {
    const bytes = index.toBytes();
    const [one, two] = [await load(bytes), kept(LeanMultiIndex.fromBytes(bytes))];
    for (const each of [one, two]) {
      expect(same(each.toBytes(), bytes)).toBe(true);
      expect([...each.ids()]).toEqual([...index.ids()]);
      const { count: documents, tokens, fdeDimensions, tokenBits, pooling } = index.stats();
      const expected = { count: documents, tokens, fdeDimensions, tokenBits, pooling };
      expect(each.stats()).toMatchObject(expected);
      expect(each.search(queryOf(1), 10)).toEqual(index.search(queryOf(1), 10));
    }
    const added: number[][] = [];
    for (const each of [one, two]) {
      const ids = await each.add(some(2, 40));
      added.push([...ids]);
      await each.update(ids[3]!, queryOf(4, 2));
      await each.delete(ids.subarray(0, 2));
    }
    expect(added[1]).toEqual(added[0]);
    expect(added[0]![0]).toBe(count);
    expect(same(one.toBytes(), two.toBytes())).toBe(true);
  });

  test('never gives an id again, though the last ones were deleted before it was saved', async () => {
    if (count === 0) return;
    const loaded = await load(index.toBytes());
    expect([...(await loaded.add(some(3, 1)))]).toEqual([count]);
    expect(await codeOf(() => loaded.delete([count + 1]))).toBe('INVALID_ARGUMENT');
    expect(await loaded.delete([count - 1, count])).toBe(1);
  });
});

describe('save()', () => {
  test('waits for the writes before it; those after it wait', async () => {
    const index = await build(some(1, 50));
    const order: string[] = [];
    const before = index.add(some(2, 5)).then(() => order.push('before'));
    const saving = saved(index).then((bytes) => {
      order.push('saved');
      return bytes;
    });
    const after = index.add(some(3, 5)).then(() => order.push('after'));
    await Promise.all([before, saving, after]);
    expect(order).toEqual(['before', 'saved', 'after']);
    expect((await load(await saving)).count).toBe(55);
    expect(index.count).toBe(60);
  });

  test.each([
    ['an exact index', 5000],
    ['a graph', 100],
  ])('keeps the documents of one moment while %s changes', async (_, exactBelow) => {
    const sets = some(4, 800);
    const index = await build(sets, { tokenBits: 32, exactBelow, fde: SMALL });
    const mirror = new Mirror();
    mirror.set(index.ids(), sets);
    const changes: Promise<unknown>[] = [];
    const bytes = await saved(index, {}, (part) => {
      const gone = Array.from({ length: 60 }, (_, i) => 60 * part + i);
      changes.push(index.delete(gone.filter((id) => id < 700)));
      changes.push(index.add(some(5 + part, 30)), index.update(799, queryOf(9, 3)));
      expect(index.search(queryOf(1), 5).ids).toHaveLength(5);
    });
    expect(changes.length).toBeGreaterThan(3 * 3);
    await Promise.all(changes);
    const loaded = await load(bytes);
    expect([...loaded.ids()]).toEqual(mirror.ids);
    for (let seed = 0; seed < 5; seed++) expectExact(loaded, mirror, seed);
  });

  test('keeps the documents of one moment, whenever others are deleted', async () => {
    const sets = some(6, 60);
    for (let turns = 0; turns < 30; turns++) {
      const index = await build(sets, { tokenBits: 32 });
      const mirror = new Mirror();
      mirror.set(index.ids(), sets);
      const saving = saved(index);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const deleting = index.delete([1, 2, 30, 59]);
      const loaded = await load(await saving);
      await deleting;
      expect([56, 60]).toContain(loaded.count);
      if (loaded.count === 56) for (const id of [1, 2, 30, 59]) mirror.documents.delete(id);
      expect([...loaded.ids()]).toEqual(mirror.ids);
      expectExact(loaded, mirror, turns);
      expect(loaded.stats().tokens).toBe(
        [...mirror.documents.values()].reduce((sum, { length }) => sum + length / D, 0),
      );
      // And that is saved as any other.
      expect(same((await load(loaded.toBytes())).toBytes(), loaded.toBytes())).toBe(true);
    }
  });

  test('rejects as the writer does, and writes go on', async () => {
    const index = await build(some(7, 20));
    const failing = () => Promise.reject(new Error('the disk is full'));
    await expect(index.save(failing)).rejects.toThrow('the disk is full');
    const throwing = () => {
      throw new Error('no disk');
    };
    await expect(index.save(throwing)).rejects.toThrow('no disk');
    expect([...(await index.add(some(8, 1)))]).toEqual([20]);
    expect((await saved(index)).length).toBeGreaterThan(0);
  });

  test('ends with an abort between two parts', async () => {
    const index = await build(some(9, 20));
    const stop = new AbortController();
    let parts = 0;
    const write = async () => {
      if (++parts === 2) stop.abort('enough');
    };
    await expect(index.save(write, { signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: 'enough',
    });
    expect(parts).toBe(2);
    expect(await codeOf(() => index.save(write, { signal: AbortSignal.abort() }))).toBe('ABORTED');
    expect(parts).toBe(2);
  });

  test('says how far it is', async () => {
    const index = await build(some(10, 300), { tokenBits: 32 });
    const seen: number[] = [];
    const { length } = await saved(index, {
      onProgress: ({ phase, done, total }) => {
        expect(phase).toBe('save');
        expect(done).toBeLessThanOrEqual(total);
        seen.push(done);
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(length);
  });

  test('goes on to its end when the index is closed; toBytes() waits for none', async () => {
    const index = await build(some(11, 30));
    const saving = saved(index);
    expect(await codeOf(() => index.toBytes())).toBe('BUSY');
    await index.close();
    expect((await load(await saving)).count).toBe(30);
    expect(await codeOf(() => saved(index))).toBe('CLOSED');
  });

  test.each<[string, unknown]>([
    ['a list', [1]],
    ['null', null],
    ['an object inside', { a: {} }],
    ['NaN', { a: Number.NaN }],
  ])('refuses as meta: %s', async (_, wrong) => {
    const index = await build(some(12, 3));
    const options = { meta: wrong as never };
    expect(await codeOf(() => saved(index, options))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => index.toBytes(options))).toBe('INVALID_ARGUMENT');
  });
});

describe('load()', () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const options = { exactBelow: 50, fde: SMALL, pooling: { count: 6 } };
    bytes = (await build(some(20, 120), options)).toBytes({ meta: { a: 1 } });
  });

  test('rejects as the source does, at any read', async () => {
    let reads = 0;
    const source = sourceOf(bytes);
    const read = (into: Uint8Array, offset: number) => {
      reads++;
      return source.read(into, offset);
    };
    kept((await LeanMultiIndex.load({ ...source, read })).index);
    expect(reads).toBeGreaterThan(6);
    for (let most = 0; most < reads; most++) {
      await expect(load(bytes, most)).rejects.toThrow('the disk is gone');
    }
  });

  test('ends with an abort between two reads', async () => {
    const stop = new AbortController();
    const source = sourceOf(bytes);
    let reads = 0;
    const read = async (into: Uint8Array, offset: number) => {
      if (++reads === 4) stop.abort();
      await source.read(into, offset);
    };
    const loading = LeanMultiIndex.load({ ...source, read }, { signal: stop.signal });
    await expect(loading).rejects.toMatchObject({ code: 'ABORTED' });
    expect(reads).toBe(4);
  });

  test('says how far it is', async () => {
    const seen: number[] = [];
    const onProgress = ({ phase, done }: { phase: string; done: number }) => {
      expect(phase).toBe('load');
      seen.push(done);
    };
    kept((await LeanMultiIndex.load(sourceOf(bytes), { onProgress })).index);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(bytes.length);
  });

  test.each<[string, unknown]>([
    ['bytes', new Uint8Array(9)],
    ['nothing', undefined],
    ['no length', { read: () => {} }],
    ['half a byte', { byteLength: 0.5, read: () => {} }],
  ])('refuses as source: %s', async (_, source) => {
    expect(await codeOf(() => LeanMultiIndex.load(source as never))).toBe('INVALID_ARGUMENT');
  });

  const words = (section: Uint8Array) => new Uint32Array(section.buffer, section.byteOffset);
  test.each<[string, (container: Container) => void]>([
    ['another encoding', ({ header }) => Object.assign(header.fde as object, { repetitions: 3 })],
    ['no dimensions', ({ header }) => Object.assign(header.fde as object, { dimensions: 0 })],
    ['no encoding', ({ header }) => void delete header.fde],
    ['an encoding that is null', ({ header }) => Object.assign(header, { fde: null })],
    ['no tokens', ({ header }) => void delete header.tokens],
    ['tokens that are null', ({ header }) => Object.assign(header, { tokens: null })],
    ['slots of no kind', ({ header }) => Object.assign(header.tokens as object, { slots: 'x' })],
    ['more documents', ({ header }) => Object.assign(header.tokens as object, { count: 121 })],
    [
      'documents of no kind',
      ({ header }) => Object.assign(header.tokens as object, { count: 'x' }),
    ],
    ['more slots', ({ header }) => Object.assign(header.tokens as object, { slots: 121 })],
    ['tokens of another kind', ({ header }) => Object.assign(header.tokens as object, { bits: 4 })],
    ['a wrong pooling', ({ header }) => Object.assign(header.pooling as object, { count: 0 })],
    [
      'a pooling of other tokens',
      ({ header }) => Object.assign(header.pooling as object, { dimensions: D + 1 }),
    ],
    ['a pooling that is null', ({ header }) => Object.assign(header, { pooling: null })],
    ['a next id in use', ({ header }) => Object.assign(header, { nextId: 119 })],
    ['a next id beyond all', ({ header }) => Object.assign(header, { nextId: 2 ** 32 })],
    ['no next id', ({ header }) => void delete header.nextId],
    ['an id twice', ({ sections }) => void words(sections['token.ids']!).fill(7, 8, 9)],
    ['an id of no document', ({ sections }) => void words(sections['token.ids']!).fill(4000, 8, 9)],
    ['ids in another order', ({ sections }) => void words(sections['token.ids']!).reverse()],
    ['a slot twice', ({ sections }) => void words(sections['token.slots']!).fill(7, 8, 9)],
    [
      'ids cut short',
      ({ sections }) =>
        Object.assign(sections, { 'token.ids': sections['token.ids']!.subarray(4) }),
    ],
    ['no ids', ({ sections }) => void delete sections['token.ids']],
    ['no index', ({ sections }) => void delete sections.index],
    [
      'an index of nothing',
      ({ sections }) => Object.assign(sections, { index: new Uint8Array(0) }),
    ],
    [
      'half an index',
      ({ sections }) => Object.assign(sections, { index: sections.index!.subarray(0, 4000) }),
    ],
    ['a section more', ({ sections }) => Object.assign(sections, { more: new Uint8Array(4) })],
    [
      'fewer records',
      ({ sections }) => Object.assign(sections, { 'token.records': new Uint8Array(64) }),
    ],
  ])('refuses intact bytes with %s', async (_, change) => {
    const content = readContainer(bytes, 'multi-index');
    change(content);
    const wrong = writeContainer(content);
    expect(await codeOf(() => load(wrong))).toBe('CORRUPT');
    expect(await codeOf(() => LeanMultiIndex.fromBytes(wrong))).toBe('CORRUPT');
  });

  test('leaves out documents that the index no longer has', async () => {
    const content = readContainer(bytes, 'multi-index');
    const index = await load(bytes);
    await index.delete([5, 6]);
    const later = readContainer(index.toBytes(), 'multi-index');
    content.sections.index = later.sections.index!;
    const loaded = await load(writeContainer(content));
    expect([...loaded.ids()]).toEqual([...index.ids()]);
    expect(loaded.stats().tokens).toBe(index.stats().tokens);
    expect([...(await loaded.add(single(unitTokens(new Random(1), 2, D))))]).toEqual([120]);
  });

  test('refuses another container, and a newer version', async () => {
    const other = writeContainer({ kind: 'index', header: {}, sections: {} });
    expect(await errorOf(() => load(other))).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(/the bytes hold index/),
    });
    expect(await codeOf(() => LeanMultiIndex.fromBytes([] as never))).toBe('INVALID_ARGUMENT');
  });
});

describe.each<[string, Partial<LeanMultiIndexOptions>]>([
  ['exact', {}],
  ['graph', { exactBelow: 0, m: 2, efConstruction: 4, tokenBits: 4 }],
])('the bytes of a small %s index', (_, options) => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const fde = { repetitions: 1, partitionBits: 1, projectedDimensions: 2 };
    bytes = (await build(some(30, 4), { fde, ...options })).toBytes();
  });

  test('are refused by load() with any byte altered', async () => {
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (at % 8);
      expect(await codeOf(() => load(wrong)), `byte ${at}`).toBe('CORRUPT');
    }
  });

  test('are refused by load() when cut short anywhere, or longer', async () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(await codeOf(() => load(bytes.slice(0, length))), `${length} bytes`).toBe('CORRUPT');
      // A file that changes behind here while it is read.
      const other = bytes.map((byte, at) => (at < length ? byte : ~byte));
      expect(await codeOf(() => load(other))).toBe('CORRUPT');
    }
    expect(await codeOf(() => load(Uint8Array.of(...bytes, 0)))).toBe('CORRUPT');
  });
});
