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

  test('give the same index back', () => {
    // A Buffer from the middle of a larger one, as fs may give it.
    const restored = LeanIndex.fromBytes(Buffer.concat([Buffer.alloc(8), bytes]).subarray(8));
    expect(restored.stats().mode).toBe(mode);
    expect(restored.count).toBe(count);
    expect(restored.searchBatch(queries, 10)).toEqual(index.searchBatch(queries, 10));
    expect({ ...restored.stats(), bytesPerVector: 0 }).toEqual({
      ...index.stats(),
      bytesPerVector: 0,
    });
  });

  test('are the same after loading and saving', () => {
    expect(LeanIndex.fromBytes(bytes).toBytes()).toEqual(bytes);
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
    expect(restored.toBytes()).toEqual(index.toBytes());
    const { ids } = restored.search(rowOf(more, D, 11), 1);
    expect(ids[0]).toBe(count + 11);
  });
});

describe('format version 1', () => {
  test('has these bytes: a change needs a new version and must go on reading this one', async () => {
    // Integers and dyadic fractions only, so that the data are the same in every engine.
    const vectors = Float32Array.from({ length: 2100 * 8 }, (_, i) => (mix32(i) % 1024) / 512 - 1);
    const digest = async (exactBelow: number) => {
      const options = { dimensions: 8, exactBelow, distance: 'Euclid' as const };
      const bytes = (await LeanIndex.build(vectors, options)).toBytes();
      return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    };
    expect(await digest(5000)).toMatchInlineSnapshot(`"506261ac98fef0d2"`);
    expect(await digest(0)).toMatchInlineSnapshot(`"54872dfc4623dd11"`);
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

  test.each<[string, (content: ReturnType<typeof readContainer>) => void]>([
    ['a link out of range', ({ sections }) => words(sections.links!).fill(2600, 0, 1)],
    ['a node linked to itself', ({ sections }) => words(sections.links!).fill(0, 0, 1)],
    ['an upper link to a lower node', ({ sections }) => words(sections.upper!).fill(1, 2, 3)],
    ['no upper layers', ({ sections }) => Object.assign(sections, { upper: new Uint8Array(0) })],
    [
      'upper layers cut short',
      ({ sections }) => Object.assign(sections, { upper: sections.upper!.slice(0, 40) }),
    ],
    [
      'an entry out of range',
      ({ header }) => Object.assign(header, { graph: { entry: 2600, maxLevel: 2 } }),
    ],
    [
      'an entry on another layer',
      ({ header }) => Object.assign(header, { graph: { entry: 1, maxLevel: 9 } }),
    ],
    ['no graph', ({ header }) => void delete header.graph],
    ['another count', ({ header }) => Object.assign(header, { count: 2599 })],
    ['a count that is none', ({ header }) => Object.assign(header, { count: -1 })],
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
    ['a section missing', ({ sections }) => void delete sections.mean],
  ])('are refused: %s', (_, change) => {
    expect(altered(change)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });

  test('as they are, are read', () => {
    expect(altered(() => {})()).toBeInstanceOf(LeanIndex);
  });
});
