import { checkInteger } from '../base/check.js';
import { drain, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { bytesSource } from '../format/container.js';
import { type ByteSource, ContainerReader } from '../format/container-reader.js';
import { corrupt } from '../format/layout.js';
import { IDS_MAX } from '../graph/id-table.js';
import { LeanIndex } from '../graph/lean-index.js';
import { NONE } from '../graph/memory.js';
import type { IndexMeta } from '../graph/save.js';
import { hasThreads } from '../threads/pool.js';
import { DocumentTokens } from './document-tokens.js';
import { FdeEncoder } from './encoder.js';
import type { MultiState } from './multi-state.js';
import { type FdeOptions, type ResolvedFde, resolveFde } from './options.js';
import { checkPooling, type PoolingOptions } from './pooling.js';
import { KIND } from './save-multi.js';
import { TokenStore } from './token-store.js';

export interface LoadedMulti {
  state: MultiState;
  /** What was saved with it; empty without any. */
  meta: IndexMeta;
}

/** Slots that are given their ids between two yields. */
const SLOTS_PER_STEP = 4096;

/** The index that toBytes() or save() wrote. Errors as for `LeanMultiIndex.fromBytes`. */
export function fromBytes(bytes: Uint8Array): MultiState {
  const opened = drain(openSteps(bytesSource(bytes)));
  return drain(documentSteps(opened, LeanIndex.fromBytes(opened.savedIndex)));
}

/** The same from anywhere, in slices, with its meta. */
export async function load(source: ByteSource, options: RunOptions): Promise<LoadedMulti> {
  const opened = await runSteps(openSteps(source), options);
  const { savedIndex: saved } = opened;
  const read = async (into: Uint8Array, offset: number) =>
    into.set(saved.subarray(offset, offset + into.length));
  const { signal } = options;
  const { index, meta } = await LeanIndex.load({ byteLength: saved.length, read }, { signal });
  return { state: await runSteps(documentSteps(opened, index), options), meta };
}

/** What comes before the documents. */
interface Opened {
  /** Its next sections are those of the documents. */
  reader: ContainerReader;
  fde: ResolvedFde;
  pooling: PoolingOptions | undefined;
  savedIndex: Uint8Array;
}

function* openSteps(source: ByteSource): Steps<Opened> {
  const reader = yield* ContainerReader.open(source, KIND);
  const { header, next } = reader;
  const fde = readOptions(() => resolveFde(header.fde as FdeOptions));
  const pooling = readPooling(header.pooling, fde);
  const savedIndex = yield* reader.read('index', next?.byteLength ?? 0);
  return { reader, fde, pooling, savedIndex };
}

function* documentSteps({ reader, fde, pooling }: Opened, index: LeanIndex): Steps<MultiState> {
  const { header } = reader;
  const shared = hasThreads();
  const encoder = new FdeEncoder(fde, { shared });
  if (index.dimensions !== encoder.dimensions || index.distance !== 'Dot') {
    throw corrupt(KIND, 'its index is not of its encodings');
  }
  const slots = (header.tokens as { slots?: number } | undefined)?.slots ?? 0;
  const ids = new Uint32Array((yield* reader.read('ids', slots * 4)).buffer);
  const store = yield* TokenStore.fromSections(header.tokens, reader, shared);
  reader.requireEnd();
  if (store.dimensions !== fde.dimensions) {
    throw corrupt(KIND, 'its tokens are not of its encodings');
  }
  const documents = new DocumentTokens(fde.dimensions, store.bits, shared, store);
  yield* nameDocuments(documents, ids, index);
  const nextId = readNextId(header.nextId, index);
  return { encoder, pooling, index, documents, given: new Set(), nextId };
}

/**
 * Gives stored documents their ids. Those that the index does not have were deleted while it was
 * saved; it has none that is not stored.
 */
function* nameDocuments(
  documents: DocumentTokens,
  ids: Uint32Array,
  index: LeanIndex,
): Steps<void> {
  const { store } = documents;
  for (let from = 0; from < ids.length; from += SLOTS_PER_STEP) {
    const named = new Map<number, number>();
    for (let slot = from; slot < Math.min(ids.length, from + SLOTS_PER_STEP); slot++) {
      const id = ids[slot]!;
      if (!store.has(slot)) {
        if (id !== NONE) throw corrupt(KIND, `document ${id} has no tokens`);
      } else if (id === NONE || !index.has(id)) {
        store.remove(slot);
      } else if (documents.has(id) || named.has(id) || store.countOf(slot) === 0) {
        throw corrupt(KIND, `document ${id} is there twice, or empty`);
      } else {
        named.set(id, slot);
      }
    }
    documents.name(Uint32Array.from(named.keys()), Uint32Array.from(named.values()));
    yield;
  }
  if (documents.count !== index.count) throw corrupt(KIND, 'documents of its index have no tokens');
}

function readPooling(value: unknown, { dimensions }: ResolvedFde): PoolingOptions | undefined {
  if (value === undefined) return undefined;
  const pooling = value as PoolingOptions;
  readOptions(() => checkPooling(pooling));
  if (pooling.dimensions === dimensions) return pooling;
  throw corrupt(KIND, 'its pooling is not of its tokens');
}

function readNextId(value: unknown, index: LeanIndex): number {
  const least = (index.ids().at(-1) ?? -1) + 1;
  return readOptions(() => checkInteger('nextId', value, least, IDS_MAX));
}

function readOptions<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw corrupt(KIND, 'its options are not valid', {}, cause);
  }
}
