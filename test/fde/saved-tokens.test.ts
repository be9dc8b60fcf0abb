import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { TOKEN_BITS, type TokenBits } from '../../src/fde/token-codec.js';
import { TokenStore } from '../../src/fde/token-store.js';
import {
  type Container,
  joined,
  readContainer,
  writeContainer,
} from '../../src/format/container.js';
import { ContainerReader, sourceOf } from '../../src/format/container-reader.js';
import { layOut } from '../../src/format/container-writer.js';
import { errorOf } from '../datasets/support.js';
import { offsetsOf, Random, tokenRows } from './support.js';

const D = 20;
const KIND = 'tokens';
const FREE = 0xffff_ffff;

/** A store in which documents have come and gone, and the slots in use. */
function turnedOver(bits: TokenBits): { store: TokenStore; slots: Uint32Array } {
  const random = new Random(bits);
  const store = new TokenStore({ dimensions: D, bits, shared: false });
  const slots = store.add(tokenRows(random, 46, D), offsetsOf([4, 0, 9, 1, 30, 2]));
  store.remove(slots[0]!);
  store.remove(slots[4]!);
  const [later] = store.add(tokenRows(random, 5, D), offsetsOf([5]));
  store.remove(slots[5]!);
  return { store, slots: Uint32Array.of(slots[1]!, slots[2]!, slots[3]!, later!).sort() };
}

function save(store: TokenStore): Uint8Array {
  return joined(drain(layOut({ kind: KIND, ...store.toSections() })));
}

function load(bytes: Uint8Array, shared = false): TokenStore {
  const reader = drain(ContainerReader.open(sourceOf(bytes), KIND));
  const store = drain(TokenStore.fromSections(reader.header, reader, shared));
  reader.requireEnd();
  return store;
}

function viewOf(container: Container, section: string): DataView {
  const { buffer, byteOffset } = container.sections[section]!;
  return new DataView(buffer, byteOffset);
}

/** The error of loading what somebody else has written, checksums and all. */
function errorOfAltered(bytes: Uint8Array, alter: (container: Container) => void) {
  const container = readContainer(bytes, KIND);
  alter(container);
  return errorOf(() => load(writeContainer(container)));
}

describe.each(TOKEN_BITS)('saved tokens of %s bits', (bits) => {
  const { store, slots } = turnedOver(bits);
  const bytes = save(store);
  const query = tokenRows(new Random(9), 7, D);

  test('come back: slots, tokens, scores and ranks, to the bit', () => {
    for (const shared of [false, true]) {
      const loaded = load(bytes, shared);
      expect(loaded.count).toBe(store.count);
      for (const slot of slots) expect(loaded.tokensOf(slot)).toEqual(store.tokensOf(slot));
      expect(loaded.maxSim(query, slots)).toEqual(store.maxSim(query, slots));
      expect(loaded.rank(query, slots, 3)).toEqual(store.rank(query, slots, 3));
      expect(() => loaded.countOf(5)).toThrow(RangeError);
      expect(Buffer.compare(save(loaded), bytes)).toBe(0);
    }
  });

  test('take more documents and let go of them as the original does', () => {
    const [one, two] = [load(bytes), load(bytes, true)];
    const more = tokenRows(new Random(3), 12, D);
    for (const each of [one, two]) {
      const added = each.add(more, offsetsOf([3, 4, 5]));
      each.remove(added[1]!);
      for (const slot of slots) expect(each.tokensOf(slot)).toEqual(store.tokensOf(slot));
    }
    expect(Buffer.compare(save(one), save(two))).toBe(0);
  });

  test('stay as they are while documents are removed, as long as they are held', () => {
    const { store: changing, slots: all } = turnedOver(bits);
    const expected = save(changing);
    const release = changing.hold();
    const container = { kind: KIND, ...changing.toSections() };
    for (const slot of all) changing.remove(slot);
    changing.add(tokenRows(new Random(4), 40, D), offsetsOf([40]));
    expect(Buffer.compare(joined(drain(layOut(container))), expected)).toBe(0);
    release();
  });

  test('are whole though the memory moves while a large document is written', () => {
    const large = new TokenStore({ dimensions: D, bits, shared: false });
    const rows = Math.ceil(2.5e6 / large.recordBytes);
    large.add(tokenRows(new Random(5), rows + 3, D), offsetsOf([1, rows, 2]));
    const expected = save(large);
    const { parts } = drain(layOut({ kind: KIND, ...large.toSections() }));
    const written: Uint8Array[] = [];
    for (const part of parts()) {
      written.push(part.slice());
      large.kernels.alloc(2 ** 22);
    }
    expect(Buffer.compare(Buffer.concat(written), expected)).toBe(0);
  });

  test.each<[string, (container: Container) => void]>([
    ['no header', (c) => Object.assign(c, { header: {} })],
    ['other dimensions', (c) => Object.assign(c.header, { dimensions: D + 20 })],
    ['dimensions of no kind', (c) => Object.assign(c.header, { dimensions: -1 })],
    ['other bits', (c) => Object.assign(c.header, { bits: bits === 32 ? 16 : 32 })],
    ['bits of no kind', (c) => Object.assign(c.header, { bits: '8' })],
    ['an unknown option', (c) => Object.assign(c.header, { speed: 1 })],
    ['more slots', (c) => Object.assign(c.header, { slots: 7 })],
    ['slots of no kind', (c) => Object.assign(c.header, { slots: 2 ** 40 })],
    ['a larger count', (c) => viewOf(c, 'token.counts').setUint32(8, 10, true)],
    ['a huge count', (c) => viewOf(c, 'token.counts').setUint32(8, FREE - 1, true)],
    ['a missing document', (c) => viewOf(c, 'token.counts').setUint32(8, FREE, true)],
    [
      'fewer records',
      (c) => {
        c.sections['token.records'] = c.sections['token.records']!.subarray(16);
      },
    ],
    [
      'numbers that are not finite',
      (c) => {
        c.sections['token.records']!.fill(0xff);
      },
    ],
    [
      'another section',
      (c) => {
        c.sections['token.more'] = new Uint8Array(1);
      },
    ],
  ])('are refused with %s', (_, alter) => {
    expect(errorOfAltered(bytes, alter).code).toBe('CORRUPT');
  });

  test('with any word of a record altered are refused or give finite scores', () => {
    const words = readContainer(bytes, KIND).sections['token.records']!.length / 4;
    for (let word = 0; word < words; word += 3) {
      for (const value of [0x7f80_0000, 0xff80_0001, 0x7f7f_ffff, 0xfc00_7c00]) {
        const container = readContainer(bytes, KIND);
        viewOf(container, 'token.records').setUint32(word * 4, value, true);
        let loaded: TokenStore;
        try {
          loaded = load(writeContainer(container));
        } catch (error) {
          expect((error as { code?: unknown }).code).toBe('CORRUPT');
          continue;
        }
        expect(loaded.maxSim(query, slots).every(Number.isFinite)).toBe(true);
      }
    }
  });

  test('of an empty store come back empty', () => {
    const empty = new TokenStore({ dimensions: D, bits, shared: false });
    const loaded = load(save(empty));
    expect([loaded.count, loaded.bytes]).toEqual([0, 0]);
  });
});
