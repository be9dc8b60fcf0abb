import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain, runSteps } from '../../src/base/steps.js';
import { bytesSource, readContainer, writeContainer } from '../../src/format/container.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { type IndexSource, loadSteps } from '../../src/graph/load.js';
import { NONE } from '../../src/graph/memory.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import { type IndexMeta, saveSteps, toBytes } from '../../src/graph/save.js';
import { gaussianRows, rowOf } from './oracle.js';
import { upTo } from './support.js';

const D = 11;
const rows = gaussianRows(3000, D, 1);
const some = (count: number) => rows.subarray(0, count * D);

/** What save() hands over, in one array; `onPart` hears of each part first. */
async function saved(
  index: LeanIndex,
  options: Parameters<LeanIndex['save']>[1] = {},
  onPart: (parts: number) => unknown = () => {},
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  await index.save(async (part) => {
    await onPart(parts.length);
    parts.push(part.slice());
  }, options);
  return Buffer.concat(parts);
}

/** Bytes as a file gives them: later, and at most so many reads. */
function sourceOf(bytes: Uint8Array, reads = Infinity): IndexSource {
  return {
    byteLength: bytes.length,
    async read(into, offset) {
      if (reads-- <= 0) throw new Error('the disk is gone');
      await Promise.resolve();
      into.set(bytes.subarray(offset, offset + into.length));
    },
  };
}

const codes = (...allowed: string[]) =>
  expect.objectContaining({ code: expect.stringMatching(`^(${allowed.join('|')})$`) });

describe.each<[string, number, Partial<LeanIndexOptions>]>([
  ['an empty index', 0, {}],
  ['an exact index', 117, {}],
  ['a graph', 2111, { m: 5, efConstruction: 30 }],
  ['a graph of three shards', 2111, { m: 5, efConstruction: 30, shards: 3 }],
  ['a graph of nested codes', 2111, { preset: 'compact', efConstruction: 30, dimensions: 131 }],
])('%s', (_, count, options) => {
  const dimensions = options.dimensions ?? D;
  const data = gaussianRows(count, dimensions, 3);
  const more = gaussianRows(40, dimensions, 4);
  let index: LeanIndex;
  beforeAll(async () => {
    index = await LeanIndex.build(data, { dimensions, ...options });
    if (count > 0) await index.delete(upTo(50).map((i) => i * 2));
  });
  afterAll(() => index.close());

  test('is saved as toBytes() gives it, with its meta', async () => {
    const meta: IndexMeta = { b: 'text', a: 1.5, c: true };
    expect(Buffer.compare(await saved(index), index.toBytes())).toBe(0);
    const bytes = await saved(index, { meta });
    expect(Buffer.compare(bytes, index.toBytes({ meta: { c: true, a: 1.5, b: 'text' } }))).toBe(0);
    expect((await LeanIndex.load(sourceOf(bytes))).meta).toEqual(meta);
    expect((await LeanIndex.load(sourceOf(index.toBytes()))).meta).toEqual({});
  });

  test('is loaded as fromBytes() reads it, and changes like the original', async () => {
    const bytes = await saved(index);
    const { index: loaded } = await LeanIndex.load(sourceOf(bytes));
    expect(loaded.stats()).toEqual(LeanIndex.fromBytes(bytes).stats());
    expect([...loaded.ids()]).toEqual([...index.ids()]);
    expect(Buffer.compare(loaded.toBytes(), bytes)).toBe(0);
    const expected = LeanIndex.fromBytes(bytes);
    for (const one of [loaded, expected]) {
      const ids = await one.add(more);
      await one.update(ids[3]!, rowOf(more, dimensions, 7));
      await one.delete(ids.subarray(0, 2));
    }
    expect(Buffer.compare(loaded.toBytes(), expected.toBytes())).toBe(0);
    const query = rowOf(more, dimensions, 9);
    expect(loaded.search(query, 5)).toEqual(expected.search(query, 5));
    await Promise.all([loaded.close(), expected.close()]);
  });
});

describe('save()', () => {
  let index: LeanIndex;
  beforeAll(async () => {
    index = await LeanIndex.build(rows, { dimensions: D, efConstruction: 30, m: 4 });
  });

  test('waits for the writes before it; those after it wait', async () => {
    const one = await LeanIndex.build(some(100), { dimensions: D });
    const order: string[] = [];
    const before = one.add(some(10)).then(() => order.push('before'));
    const saving = saved(one).then((bytes) => {
      order.push('saved');
      return bytes;
    });
    const after = one.add(some(10)).then(() => order.push('after'));
    await Promise.all([before, saving, after]);
    expect(order).toEqual(['before', 'saved', 'after']);
    expect(LeanIndex.fromBytes(await saving).count).toBe(110);
    expect(one.count).toBe(120);
  });

  test.each([
    ['an exact index', 700],
    ['a graph', 3000],
  ])('keeps the ids of one moment while %s changes', async (_, count) => {
    const one = await LeanIndex.build(some(count), { dimensions: D, efConstruction: 30, m: 4 });
    const changes: Promise<unknown>[] = [];
    const bytes = await saved(one, {}, (part) => {
      changes.push(one.delete(upTo(40 * (part + 1), 40 * part)), one.add(some(3)));
      expect(one.search(rowOf(rows, D, 1), 5).ids).toHaveLength(5);
    });
    await Promise.all(changes);
    const loaded = LeanIndex.fromBytes(bytes);
    expect([...loaded.ids()]).toEqual(upTo(count));
    const parts = changes.length / 2;
    expect([...one.ids()]).toEqual(upTo(count + 3 * parts, 40 * parts));
    expect(parts).toBeGreaterThan(2);
  });

  test('rejects as the writer does, and writes go on', async () => {
    const failing = () => Promise.reject(new Error('the disk is full'));
    await expect(index.save(failing)).rejects.toThrow('the disk is full');
    const throwing = () => {
      throw new Error('no disk');
    };
    await expect(index.save(throwing)).rejects.toThrow('no disk');
    const [id] = await index.add(some(1));
    expect(await index.delete([id!])).toBe(1);
  });

  test('ends with an abort between two parts', async () => {
    const stop = new AbortController();
    let parts = 0;
    const write = async () => {
      if (++parts === 2) stop.abort();
    };
    await expect(index.save(write, { signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(parts).toBe(2);
    await expect(index.save(write, { signal: AbortSignal.abort() })).rejects.toEqual(
      codes('ABORTED'),
    );
    expect((await saved(index)).length).toBeGreaterThan(0);
  });

  test('says how far it is', async () => {
    const seen: number[] = [];
    const { length } = await saved(index, {
      onProgress: ({ phase, done, total }) => {
        expect(phase).toBe('save');
        expect(total).toBeGreaterThanOrEqual(done);
        seen.push(done);
      },
    });
    expect(seen.at(-1)).toBe(length);
  });

  test.each<[string, unknown]>([
    ['a list', [1]],
    ['null', null],
    ['an object inside', { a: {} }],
    ['undefined inside', { a: undefined }],
    ['NaN', { a: Number.NaN }],
    ['a name that no object may have', JSON.parse('{"__proto__": 1}')],
  ])('refuses as meta: %s', async (_, meta) => {
    const wrong = { meta: meta as IndexMeta };
    await expect(index.save(async () => {}, wrong)).rejects.toEqual(codes('INVALID_ARGUMENT'));
    expect(() => index.toBytes(wrong)).toThrow(codes('INVALID_ARGUMENT'));
  });

  test('refuses what is no writer, unknown options, and a closed index', async () => {
    await expect(index.save(5 as never)).rejects.toEqual(codes('INVALID_ARGUMENT'));
    const options = { threads: 2 } as never;
    await expect(index.save(async () => {}, options)).rejects.toEqual(codes('INVALID_ARGUMENT'));
    const one = await LeanIndex.build(some(5), { dimensions: D });
    const saving = saved(one);
    await one.close();
    expect(LeanIndex.fromBytes(await saving).count).toBe(5);
    await expect(one.save(async () => {})).rejects.toEqual(codes('CLOSED'));
  });

  test('hands over copies where the memory is not shared, and so moves when it grows', async () => {
    const bytes = index.toBytes();
    const { state } = drain(loadSteps(bytesSource(bytes), false));
    const parts: Uint8Array[] = [];
    const write = async (part: Uint8Array) => {
      state.shards[0]!.nodes.kernels.alloc(1 << 20);
      parts.push(part);
    };
    await runSteps(saveSteps(state, undefined, write));
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
    expect(Buffer.compare(toBytes(state, undefined), bytes)).toBe(0);
  });
});

describe('load()', () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const options = { dimensions: D, efConstruction: 30, m: 4, exactBelow: 0 };
    bytes = (await LeanIndex.build(some(1200), options)).toBytes({ meta: { a: 1 } });
  });

  test('reads files, into shared memory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'leandex-save-'));
    const file = await open(join(folder, 'index'), 'w+');
    try {
      const index = LeanIndex.fromBytes(bytes);
      await index.save(async (part) => {
        await file.write(part);
      });
      let shared = 0;
      const { index: loaded } = await LeanIndex.load({
        byteLength: (await file.stat()).size,
        async read(into, offset) {
          if (into.buffer instanceof SharedArrayBuffer) shared += into.length;
          await file.read(into, 0, into.length, offset);
        },
      });
      expect(Buffer.compare(loaded.toBytes(), index.toBytes())).toBe(0);
      expect(shared).toBeGreaterThan(bytes.length / 2);
    } finally {
      await file.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('rejects as the source does, at any read', async () => {
    let reads = 0;
    const source = sourceOf(bytes);
    const read = (into: Uint8Array, offset: number) => {
      reads++;
      return source.read(into, offset);
    };
    await LeanIndex.load({ ...source, read });
    expect(reads).toBeGreaterThan(8);
    for (let most = 0; most < reads; most++) {
      await expect(LeanIndex.load(sourceOf(bytes, most))).rejects.toThrow('the disk is gone');
    }
  });

  test('ends with an abort between two reads', async () => {
    const stop = new AbortController();
    const source = sourceOf(bytes);
    let reads = 0;
    const read = async (into: Uint8Array, offset: number) => {
      if (++reads === 5) stop.abort();
      await source.read(into, offset);
    };
    const loading = LeanIndex.load({ ...source, read }, { signal: stop.signal });
    await expect(loading).rejects.toEqual(codes('ABORTED'));
    expect(reads).toBe(5);
  });

  test('says how far it is', async () => {
    const seen: number[] = [];
    const onProgress = ({ phase, done }: { phase: string; done: number }) => {
      expect(phase).toBe('load');
      seen.push(done);
    };
    await LeanIndex.load(sourceOf(bytes), { onProgress });
    expect(seen.at(-1)).toBe(bytes.length);
  });

  test.each<[string, unknown]>([
    ['bytes', new Uint8Array(9)],
    ['nothing', undefined],
    ['no length', { read: () => {} }],
    ['half a byte', { byteLength: 0.5, read: () => {} }],
  ])('refuses as source: %s', async (_, source) => {
    await expect(LeanIndex.load(source as IndexSource)).rejects.toEqual(codes('INVALID_ARGUMENT'));
  });

  const altered = (change: (content: ReturnType<typeof readContainer>) => void) => {
    const content = readContainer(bytes, 'index');
    change(content);
    return writeContainer(content);
  };
  test.each<[string, (content: ReturnType<typeof readContainer>) => void]>([
    ['a section more', ({ sections }) => Object.assign(sections, { more: new Uint8Array(4) })],
    [
      'sections in another order',
      (content) => {
        content.sections = Object.fromEntries(Object.entries(content.sections).reverse());
      },
    ],
    ['meta that is a list', ({ header }) => Object.assign(header, { meta: [1] })],
    ['meta within meta', ({ header }) => Object.assign(header, { meta: { a: { b: 1 } } })],
  ])('refuses intact bytes with %s', async (_, change) => {
    await expect(LeanIndex.load(sourceOf(altered(change)))).rejects.toEqual(codes('CORRUPT'));
  });

  test('refuses intact bytes of any other graph, or searches and changes that', async () => {
    const random = new Random(8);
    const names = ['ids.0', 'node.0', 'upper.0'];
    let loaded = 0;
    for (let round = 0; round < 300; round++) {
      const wrong = altered(({ header, sections }) => {
        const words = new Uint32Array(sections[names[round % 3]!]!.buffer);
        const value = [0, 1, 1199, 1200, NONE, random.uint32()][random.below(6)]!;
        words[random.below(words.length)] = value;
        const [shard] = header.shards as { entry: number; maxLevel: number }[];
        if (round % 10 === 0) shard!.entry = random.below(1300);
        if (round % 50 === 0) shard!.entry = NONE;
      });
      const result = await LeanIndex.load(sourceOf(wrong)).catch((error) => error);
      if (result instanceof Error) {
        expect(result).toEqual(codes('CORRUPT'));
        continue;
      }
      loaded++;
      const { index } = result;
      expect(index.search(rowOf(rows, D, 1), 2000).ids).toHaveLength(index.count);
      await index.delete(index.ids().filter((id: number) => id % 3 === round % 3));
      await index.add(some(30));
      await index.compact();
      expect(index.search(rowOf(rows, D, 1), 2000).ids).toHaveLength(index.count);
    }
    expect(loaded).toBeGreaterThan(30);
    expect(loaded).toBeLessThan(270);
  });
});

describe.each([
  ['exact', {}],
  ['graph', { exactBelow: 0, m: 2, efConstruction: 4, primaryBits: 2, secondaryBits: 4 }],
] as const)('the bytes of a small %s index', (_, options) => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const data = gaussianRows(9, 3, 5);
    bytes = (await LeanIndex.build(data, { dimensions: 3, ...options })).toBytes();
  });

  test('are refused by load() with any byte altered', async () => {
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (at % 8);
      const expected = codes('CORRUPT');
      await expect(LeanIndex.load(sourceOf(wrong)), `byte ${at}`).rejects.toEqual(expected);
    }
  });

  test('are refused by load() when cut short anywhere, or longer', async () => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = sourceOf(bytes.slice(0, length));
      await expect(LeanIndex.load(cut), `${length} bytes`).rejects.toEqual(codes('CORRUPT'));
      // A file that changes behind here while it is read.
      const other = bytes.map((byte, at) => (at < length ? byte : ~byte));
      await expect(LeanIndex.load(sourceOf(other))).rejects.toEqual(codes('CORRUPT'));
    }
    const longer = sourceOf(Uint8Array.of(...bytes, 0));
    await expect(LeanIndex.load(longer)).rejects.toEqual(codes('CORRUPT'));
  });
});
