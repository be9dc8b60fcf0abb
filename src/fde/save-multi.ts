import type { Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import { type ByteSource, ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import { LeanIndex } from '../graph/lean-index.js';
import { DocumentTokens } from './document-tokens.js';
import { FdeEncoder } from './encoder.js';
import type { MultiParts } from './lean-multi-index.js';
import { type FdeOptions, type ResolvedFde, resolveFde } from './options.js';
import { TokenStore } from './token-store.js';

const KIND = 'multi-index';

/** What is saved: parameters and seed of the encoding, the index of encodings, the tokens. */
export function describeMulti({ encoder, index, documents }: MultiParts): PartedContainer {
  const { header: tokens, sections } = documents.store.toSections();
  const bytes = index.toBytes();
  const slots = Uint32Array.from(index.ids(), (id) => documents.slotOf(id)!);
  const fde = Object.fromEntries(
    Object.entries(encoder.options).filter(([, value]) => value !== undefined),
  );
  return {
    kind: KIND,
    header: { fde, tokens },
    sections: {
      index: () => partsOf(bytes),
      slots: () => partsOf(asBytes(slots)),
      ...sections,
    },
  };
}

/**
 * Reads and verifies what describeMulti() described.
 * @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`, `RESOURCE_EXHAUSTED`.
 */
export function* readMultiSteps(source: ByteSource, shared: boolean): Steps<MultiParts> {
  const reader = yield* ContainerReader.open(source, KIND);
  const { fde: given, tokens } = reader.header;
  const fde = readFde(given);
  const encoder = new FdeEncoder(given as FdeOptions, { shared });
  const bytes = yield* reader.read('index', lengthOf(reader, 'index'));
  const index = LeanIndex.fromBytes(bytes);
  if (index.dimensions !== encoder.dimensions || index.distance !== 'Dot') {
    throw corrupt(KIND, 'its index is not of its encodings');
  }
  const ids = index.ids();
  const slots = new Uint32Array((yield* reader.read('slots', ids.byteLength)).buffer);
  const store = yield* TokenStore.fromSections(tokens, reader, shared);
  reader.requireEnd();
  if (store.dimensions !== fde.dimensions)
    throw corrupt(KIND, 'its tokens are not of its encodings');
  const documents = new DocumentTokens(fde.dimensions, store.bits, shared, store);
  checkSlots(slots, store);
  documents.name(ids, slots);
  return { encoder, index, documents };
}

function readFde(value: unknown): ResolvedFde {
  try {
    return resolveFde(value as FdeOptions);
  } catch (cause) {
    throw corrupt(KIND, 'its encoding is not valid', {}, cause);
  }
}

function lengthOf(reader: ContainerReader, name: string): number {
  const { next } = reader;
  if (next?.name === name) return next.byteLength;
  throw corrupt(KIND, `section ${name} is missing`);
}

/** Each stored document has one id. */
function checkSlots(slots: Uint32Array, store: TokenStore): void {
  const isEach = slots.length === store.count && new Set(slots).size === slots.length;
  try {
    if (isEach && slots.every((slot) => store.countOf(slot) > 0)) return;
  } catch {
    // A slot without a document.
  }
  throw corrupt(KIND, 'its documents are not those of its tokens');
}
