import { LeandexError } from '../base/errors.js';
import { runSteps } from '../base/steps.js';
import { checkGivenIds, type GivenIds } from '../graph/given-ids.js';
import { LeanIndex } from '../graph/lean-index.js';
import { type AddOptions, checkWriteOptions, type WriteOptions } from '../graph/options.js';
import { requireUnchanged } from '../graph/rows.js';
import { hasThreads, PoolLease } from '../threads/pool.js';
import { DocumentTokens } from './document-tokens.js';
import { FdeEncoder } from './encoder.js';
import { type LeanMultiIndexOptions, resolveMulti } from './multi-options.js';
import { crewFor, type MultiState } from './multi-state.js';
import { checkSets, type TokenSets } from './offsets.js';
import { poolSteps } from './pooling.js';

/** Documents that are encoded and stored, not yet named. */
interface ReadyDocuments {
  encodings: Float32Array;
  slots: Uint32Array;
}

/** Errors as for `LeanMultiIndex.build`. */
export async function buildState(
  sets: TokenSets,
  options: LeanMultiIndexOptions & AddOptions,
): Promise<MultiState> {
  const { fde, tokenBits, pooling, index: indexOptions } = resolveMulti(options);
  const run = runOptions(options);
  checkWriteOptions('LeanMultiIndex', run);
  const own = checkSets(sets, fde.dimensions, 'the documents');
  const given = givenIds(options, own);
  const shared = hasThreads();
  const encoder = new FdeEncoder(fde, { shared });
  const documents = new DocumentTokens(fde.dimensions, tokenBits, shared);
  const pool = new PoolLease();
  try {
    const { encodings, slots } = await makeReady({ encoder, pooling, documents }, own, pool, run);
    const ids = given && { ids: given.ids };
    const index = await LeanIndex.build(encodings, { ...indexOptions, ...run, ...ids });
    const added = given?.ids ?? index.ids();
    documents.name(added, slots);
    const nextId = endOf(added);
    return { encoder, pooling, index, documents, given: new Set(), nextId };
  } finally {
    await pool.release();
  }
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for wrong ids. */
export function givenIds({ ids }: AddOptions, { offsets }: TokenSets): GivenIds | undefined {
  return ids === undefined ? undefined : checkGivenIds(ids, offsets.length - 1);
}

/** Adds checked sets and resolves to their ids: all or nothing. Nothing else is added meanwhile. */
export async function addDocuments(
  state: MultiState,
  sets: TokenSets,
  given: GivenIds | undefined,
  pool: PoolLease,
  options: WriteOptions,
): Promise<Uint32Array> {
  const { index, documents } = state;
  const { encodings, slots } = await makeReady(state, sets, pool, options);
  let added: Uint32Array;
  try {
    added = await index.add(encodings, { ...options, ...(given && { ids: given.ids }) });
  } catch (error) {
    documents.discard(slots);
    throw error;
  }
  state.nextId = Math.max(state.nextId, endOf(added));
  const gone = given?.deleted ?? new Set();
  documents.name(added, slots, (id) => !gone.has(id));
  // What was deleted on its way is not there, whether the graph can be repaired now or later.
  if (gone.size > 0) await index.delete([...gone]).catch(() => {});
  return added;
}

/** Puts a checked set of one document in the place of that of an id. */
export async function updateDocument(
  { index, documents, ...state }: MultiState,
  id: number,
  sets: TokenSets,
  pool: PoolLease,
  options: WriteOptions,
): Promise<void> {
  if (!documents.has(id)) {
    throw new LeandexError('NOT_FOUND', `no document has the id ${id}`, { details: { id } });
  }
  const { encodings, slots } = await makeReady({ documents, ...state }, sets, pool, options);
  try {
    await index.update(id, encodings, options);
  } catch (error) {
    documents.discard(slots);
    throw error;
  }
  documents.forget([id]);
  documents.name(Uint32Array.of(id), slots, (live) => index.has(live));
}

/**
 * Forgets ids, from this moment on; those that are still to be added will not be.
 * @returns those that the index of encodings has, and how many there were of all.
 */
export function removeDocuments(
  { documents, given }: MultiState,
  wanted: ReadonlySet<number>,
): { living: number[]; removed: number } {
  const living = [...wanted].filter((id) => documents.has(id));
  documents.forget(living);
  const removed = new Set(living);
  for (const { has, deleted } of given) {
    for (const id of wanted) {
      if (!has(id) || deleted.has(id)) continue;
      deleted.add(id);
      removed.add(id);
    }
  }
  return { living, removed: removed.size };
}

/** Pools, encodes and stores documents; after an error none of them is stored. */
async function makeReady(
  { encoder, pooling, documents }: Pick<MultiState, 'encoder' | 'pooling' | 'documents'>,
  given: TokenSets,
  pool: PoolLease,
  options: WriteOptions,
): Promise<ReadyDocuments> {
  const { tokens, offsets } = given;
  // It may have waited: an array that was given away meanwhile is empty.
  requireUnchanged(tokens, offsets.at(-1)! * encoder.options.dimensions);
  const sets =
    pooling === undefined ? given : await runSteps(poolSteps(tokens, offsets, pooling), options);
  const crew = await crewFor(pool, sets.offsets.at(-1)!, options.threads);
  const encodings = await runSteps(encoder.documentSteps(sets.tokens, sets.offsets, crew), options);
  const slots = await runSteps(documents.store.addSteps(sets.tokens, sets.offsets), options);
  return { encodings, slots };
}

/** One more than the largest id. */
function endOf(ids: Uint32Array): number {
  return ids.reduce((end, id) => Math.max(end, id + 1), 0);
}

/** How to run, without what shapes the index. */
function runOptions({ onProgress, signal, threads }: WriteOptions): WriteOptions {
  return {
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
    ...(threads !== undefined && { threads }),
  };
}
