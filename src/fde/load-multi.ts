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
  // biome-ignore lint/correctness/useYield: steps that happen to be one
  function* loadIndex(saved: Uint8Array): Steps<LeanIndex> {
    return LeanIndex.fromBytes(saved);
  }
  return drain(loadSteps(bytesSource(bytes), loadIndex));
}

/** The same from anywhere, in slices, with its meta. */
export async function load(source: ByteSource, options: RunOptions): Promise<LoadedMulti> {
  let meta: IndexMeta = {};
  function* loadIndex(saved: Uint8Array): Steps<LeanIndex> {
    const read = async (into: Uint8Array, offset: number) =>
      into.set(saved.subarray(offset, offset + into.length));
    const loading = LeanIndex.load({ byteLength: saved.length, read }, { signal: options.signal });
    let loaded: LeanIndex | undefined;
    yield loading.then((result) => {
      ({ meta, index: loaded } = result);
    });
    return loaded!;
  }
  return { state: await runSteps(loadSteps(source, loadIndex), options), meta };
}

/** Reads and verifies what is saved of an index (docs/format.md). */
function* loadSteps(
  source: ByteSource,
  loadIndex: (saved: Uint8Array) => Steps<LeanIndex>,
): Steps<MultiState> {
  const shared = hasThreads();
  const reader = yield* ContainerReader.open(source, KIND);
  const { header } = reader;
  const fde = readOptions(() => resolveFde(header.fde as FdeOptions));
  const pooling = readPooling(header.pooling, fde);
  const encoder = new FdeEncoder(fde, { shared });
  const index = yield* loadIndex(yield* reader.read('index', lengthOf(reader, 'index')));
  if (index.dimensions !== encoder.dimensions || index.distance !== 'Dot') {
    throw corrupt(KIND, 'its index is not of its encodings');
  }
  // What the index does not have was deleted while it was saved.
  const isLive = (id: number) => index.has(id);
  const documents = yield* DocumentTokens.fromSections(header.tokens, reader, shared, isLive);
  reader.requireEnd();
  if (documents.store.dimensions !== fde.dimensions) {
    throw corrupt(KIND, 'its tokens are not of its encodings');
  }
  if (documents.count !== index.count) throw corrupt(KIND, 'documents of its index have no tokens');
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

/** @throws LeandexError `CORRUPT` unless the next section has this name. */
function lengthOf(reader: ContainerReader, name: string): number {
  const { next } = reader;
  if (next?.name === name) return next.byteLength;
  throw corrupt(KIND, `section ${name} is missing`);
}
