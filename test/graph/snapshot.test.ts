import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { mix32 } from '../../src/base/random.js';
import { readContainer, writeContainer } from '../../src/format/container.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, rowOf } from './oracle.js';

const D = 24;
const rows = gaussianRows(2600, D, 3);
const queries = gaussianRows(50, D, 4);

describe.each([
  ['exact', 300],
  ['graph', 2600],
] as const)('the bytes of an %s index', (mode, count) => {
  let index: LeanIndex;
  let bytes: Uint8Array;
  beforeAll(async () => {
    index = await LeanIndex.build(rows.subarray(0, count * D), { dimensions: D, seed: 5 });
    bytes = index.toBytes();
  });

  test('give the same index back', async () => {
    // A Buffer from the middle of a larger one, as fs may give it.
    const restored = LeanIndex.fromBytes(Buffer.concat([Buffer.alloc(8), bytes]).subarray(8));
    expect(restored.stats().mode).toBe(mode);
    expect(restored.count).toBe(count);
    expect(await restored.searchBatch(queries, 10)).toEqual(await index.searchBatch(queries, 10));
    expect({ ...restored.stats(), bytesPerVector: 0 }).toEqual({
      ...index.stats(),
      bytesPerVector: 0,
    });
  });

  test('are the same after loading and saving', () => {
    expect(Buffer.compare(LeanIndex.fromBytes(bytes).toBytes(), bytes)).toBe(0);
  });

  test('are refused when damaged', () => {
    const step = Math.max(1, Math.floor(bytes.length / 500));
    for (let at = 0; at < bytes.length; at += step) {
      const altered = bytes.slice();
      altered[at]! ^= 0x10;
      expect(() => LeanIndex.fromBytes(altered), `byte ${at}`).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      );
      expect(() => LeanIndex.fromBytes(bytes.subarray(0, at))).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      );
    }
  });

  test('take more vectors after loading, as the original does', async () => {
    const restored = LeanIndex.fromBytes(bytes);
    const more = gaussianRows(200, D, 8);
    await Promise.all([restored.add(more), index.add(more)]);
    expect(Buffer.compare(restored.toBytes(), index.toBytes())).toBe(0);
    const { ids } = restored.search(rowOf(more, D, 11), 1);
    expect(ids[0]).toBe(count + 11);
  });
});

describe('format version 2', () => {
  test('has these bytes: a change after a release needs a new version that reads this one', async () => {
    // Integers and dyadic fractions only, so that the data are the same in every engine.
    const vectors = Float32Array.from({ length: 2100 * 8 }, (_, i) => (mix32(i) % 1024) / 512 - 1);
    const digest = async (exactBelow: number) => {
      const options = { dimensions: 8, exactBelow, distance: 'Euclid' as const };
      const bytes = (await LeanIndex.build(vectors, options)).toBytes();
      return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    };
    expect(await digest(5000)).toMatchInlineSnapshot(`"95feffcb876a6112"`);
    expect(await digest(0)).toMatchInlineSnapshot(`"4c44e5982fdc0398"`);
  });

  test('a newer one is named', async () => {
    const index = await LeanIndex.build(rows.subarray(0, 10 * D), { dimensions: D });
    const bytes = index.toBytes();
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 7, true);
    view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
    expect(() => LeanIndex.fromBytes(bytes)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_VERSION', message: expect.stringMatching(/7/) }),
    );
  });
});

describe('bytes with valid checksums but a wrong graph', () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = (await LeanIndex.build(rows, { dimensions: D })).toBytes();
  });

  const altered = (change: (content: ReturnType<typeof readContainer>) => void) => {
    const content = readContainer(bytes, 'index');
    content.sections = Object.fromEntries(
      Object.entries(content.sections).map(([name, section]) => [name, section.slice()]),
    );
    change(content);
    return () => LeanIndex.fromBytes(writeContainer(content));
  };
  const words = (section: Uint8Array) => new Uint32Array(section.buffer);
  /** The links of the first node, which follow its primary code of one cache line. */
  const links = (sections: Record<string, Uint8Array>) => words(sections['node.0']!).subarray(16);
  const shard = (header: Record<string, unknown>, values: object) =>
    Object.assign((header.shards as object[])[0]!, values);

  test.each<[string, (content: ReturnType<typeof readContainer>) => void]>([
    ['a link out of range', ({ sections }) => links(sections).fill(2600, 0, 1)],
    ['a node linked to itself', ({ sections }) => links(sections).fill(0, 0, 1)],
    ['an upper link to a lower node', ({ sections }) => words(sections['upper.0']!).fill(1, 2, 3)],
    [
      'no upper layers',
      ({ sections }) => Object.assign(sections, { 'upper.0': new Uint8Array(0) }),
    ],
    [
      'upper layers cut short',
      ({ sections }) => Object.assign(sections, { 'upper.0': sections['upper.0']!.slice(0, 40) }),
    ],
    ['an entry out of range', ({ header }) => shard(header, { entry: 2600, maxLevel: 2 })],
    ['an entry on another layer', ({ header }) => shard(header, { entry: 1, maxLevel: 9 })],
    ['no entry though there are vectors', ({ header }) => shard(header, { entry: 0xffff_ffff })],
    ['an entry that is no number', ({ header }) => shard(header, { entry: 'a' })],
    ['no shards', ({ header }) => void delete header.shards],
    [
      'more shards than its options say',
      ({ header }) => (header.shards as unknown[]).push({ used: 0 }),
    ],
    ['another number of slots', ({ header }) => shard(header, { used: 2599 })],
    ['a number of slots that is none', ({ header }) => shard(header, { used: -1 })],
    ['ids beyond the next one', ({ header }) => Object.assign(header, { nextId: 2599 })],
    ['no next id', ({ header }) => void delete header.nextId],
    ['an id twice', ({ sections }) => words(sections['ids.0']!).fill(7, 100, 101)],
    [
      'unknown options',
      ({ header }) => Object.assign(header, { options: { dimensions: D, colour: 1 } }),
    ],
    [
      'another dimension',
      ({ header }) => Object.assign(header, { options: { dimensions: D + 1 } }),
    ],
    [
      'a mean that is no number',
      ({ sections }) => new Float32Array(sections.mean!.buffer).fill(NaN),
    ],
    ['a model without unit', ({ header }) => Object.assign(header.model as object, { unit: 0 })],
    [
      'float32 codes of fewer dimensions',
      ({ header, sections }) => {
        const codes = { primaryBits: 32, primaryDimensions: 1, primaryBytes: 128 };
        Object.assign(header.model as object, codes);
        sections.projection = new Uint8Array(0);
      },
    ],
    ['a section missing', ({ sections }) => void delete sections.mean],
  ])('are refused: %s', (_, change) => {
    expect(altered(change)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });

  test('as they are, are read', () => {
    expect(altered(() => {})()).toBeInstanceOf(LeanIndex);
  });
});
