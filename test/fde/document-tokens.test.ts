import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { DocumentTokens } from '../../src/fde/document-tokens.js';
import { bytesSource, joined } from '../../src/format/container.js';
import { ContainerReader } from '../../src/format/container-reader.js';
import { layOut } from '../../src/format/container-writer.js';
import { ALONE } from '../../src/threads/crew.js';
import { offsetsOf, Random, tokenRows } from './support.js';

const D = 16;
const SIZES = [3, 1, 7, 2, 5, 4];
const IDS = Uint32Array.of(40, 7, 99, 3, 12, 50);

function filled() {
  const tokens = tokenRows(new Random(1), 22, D);
  const offsets = offsetsOf(SIZES);
  const documents = new DocumentTokens(D, 32, false);
  documents.name(IDS, documents.store.add(tokens, offsets));
  const rows = new Map(
    Array.from(IDS, (id, i) => [id, tokens.subarray(offsets[i]! * D, offsets[i + 1]! * D)]),
  );
  return { documents, rows };
}

/** The bytes of a container of what toSections() gives, with changes to its header. */
function bytesOf(documents: DocumentTokens, change: object = {}): Uint8Array {
  const { header, sections } = documents.toSections();
  return joined(drain(layOut({ kind: 'test', header: { ...header, ...change }, sections })));
}

function read(bytes: Uint8Array): DocumentTokens {
  const reader = drain(ContainerReader.open(bytesSource(bytes), 'test'));
  const documents = drain(DocumentTokens.fromSections(reader.header, reader, false));
  reader.requireEnd();
  return documents;
}

describe('documents by id', () => {
  test('are ranked in slices as at once', () => {
    const { documents } = filled();
    const query = tokenRows(new Random(2), 3, D);
    const candidates = Uint32Array.of(99, 3, 1000, 12, 40);
    const best = documents.rank(query, candidates, 3);
    expect(drain(documents.rankSteps(query, candidates, 3, ALONE))).toEqual(best);
    const all = documents.rank(query, candidates, 10);
    expect([...all.ids].sort()).toEqual([12, 3, 40, 99]);
    expect([...best.ids]).toEqual([...all.ids].slice(0, 3));
    expect([40, 3, 1000].map((id) => documents.countOf(id))).toEqual([3, 2, 0]);
  });

  test('come back from sections, those that were removed left out', () => {
    const { documents, rows } = filled();
    documents.forget([99, 3]);
    const same = read(bytesOf(documents));
    expect([...same.ids()]).toEqual([7, 12, 40, 50]);
    expect([same.count, same.tokenCount]).toEqual([4, 13]);
    for (const id of same.ids()) expect(same.tokensOf(id)).toEqual(rows.get(id));
    // Their places are free.
    same.name(
      Uint32Array.of(1, 2),
      same.store.add(tokenRows(new Random(3), 9, D), offsetsOf([2, 7])),
    );
    expect([...same.ids()]).toEqual([1, 2, 7, 12, 40, 50]);
    expect(bytesOf(read(bytesOf(same)))).toEqual(bytesOf(same));
  });

  test.each([
    ['another number of ids', { count: 5 }],
    ['a number that is none', { count: 'six' }],
    ['no number', { count: undefined }],
    ['other bits', { bits: 8 }],
    ['another number of slots', { slots: 7 }],
  ])('are CORRUPT with %s', (_, change) => {
    const { documents } = filled();
    const bytes = bytesOf(documents, change);
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });

  test.each<[string, (ids: Uint32Array, slots: Uint32Array) => void]>([
    ['an id twice', (ids) => ids.set([3, 3])],
    ['ids that fall', (ids) => ids.reverse()],
    ['a slot twice', (_, slots) => slots.set([slots[1]!])],
    ['a slot without a document', (_, slots) => slots.set([77])],
  ])('are CORRUPT with %s', (_, change) => {
    const { documents } = filled();
    const { header, sections } = documents.toSections();
    const [ids, slots] = ['token.ids', 'token.slots'].map((name) => {
      const bytes = Uint8Array.from([...sections[name]!()].flatMap((part) => [...part]));
      return new Uint32Array(bytes.buffer);
    }) as [Uint32Array, Uint32Array];
    change(ids, slots);
    const bytes = (array: Uint32Array) => () => [new Uint8Array(array.buffer)];
    const changed = { ...sections, 'token.ids': bytes(ids), 'token.slots': bytes(slots) };
    const file = joined(drain(layOut({ kind: 'test', header, sections: changed })));
    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });
});
