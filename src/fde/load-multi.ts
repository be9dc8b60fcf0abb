import { checkInteger } from '../base/check.js';
import { drain, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { bytesSource } from '../format/container.js';
import { type ByteSource, ContainerReader } from '../format/container-reader.js';
import { corrupt } from '../format/layout.js';
import { IDS_MAX } from '../graph/id-table.js';
import { LeanIndex } from '../graph/lean-index.js';
import type { IndexMeta } from '../graph/save.js';
import { hasThreads } from '../threads/pool.js';
import { DocumentTokens } from './document-tokens.js';
import { FdeEncoder } from './encoder.js';
import type { MultiState } from './multi-state.js';
import { type FdeOptions, type ResolvedFde, resolveFde } from './options.js';
import { checkPooling, type PoolingOptions } from './pooling.js';
import { KIND } from './save-multi.js';

export interface LoadedMulti {
  state: MultiState;
  /** What was saved with it; empty without any. */
  meta: IndexMeta;
}

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
  const documents = yield* DocumentTokens.fromSections(header.tokens, reader, shared);
  reader.requireEnd();
  if (documents.store.dimensions !== fde.dimensions) {
    throw corrupt(KIND, 'its tokens are not of its encodings');
  }
  // Those that the index does not have were deleted while it was saved.
  documents.forget(documents.ids().filter((id) => !index.has(id)));
  if (documents.count !== index.count) throw corrupt(KIND, 'its documents are not of its index');
  const nextId = readNextId(header.nextId, index);
  return { encoder, pooling, index, documents, given: new Set(), nextId };
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
