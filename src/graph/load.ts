import { checkInteger } from '../base/check.js';
import { wrongType } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { type ByteSource, ContainerReader } from '../format/container-reader.js';
import { corrupt } from '../format/layout.js';
import { IdTable } from './id-table.js';
import { NONE, type NodeMemory } from './memory.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import { checkMeta, type IndexMeta, nodeParts } from './save.js';
import { readModel } from './saved-model.js';
import { Shard } from './shard.js';
import type { IndexState } from './state.js';

const KIND = 'index';
/** Slots, words of upper layers and nodes that are gone through between two yields. */
const SLOTS_PER_STEP = 4096;
const WORDS_PER_STEP = 4096;
const NODES_PER_STEP = 512;

/** Where the bytes of a saved index come from, e.g. a file. */
export interface IndexSource {
  readonly byteLength: number;
  /** Fills all of `into`, which may view a SharedArrayBuffer, with the bytes from `offset` on. */
  read(into: Uint8Array, offset: number): Promise<void>;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for anything else. */
export function checkSource(source: IndexSource): ByteSource {
  if (typeof source?.read !== 'function') {
    throw wrongType('source', 'an object with byteLength and read', source);
  }
  checkInteger('source.byteLength', source.byteLength, 0, Number.MAX_SAFE_INTEGER);
  return source;
}

export interface LoadedIndex {
  state: IndexState;
  /** What was saved with it; empty without any. */
  meta: IndexMeta;
}

/**
 * Reads an index straight into its memories and verifies all of it.
 * @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`, `RESOURCE_EXHAUSTED`.
 */
export function* loadSteps(source: ByteSource, shared: boolean): Steps<LoadedIndex> {
  const reader = yield* ContainerReader.open(source, KIND);
  const { header } = reader;
  const options = readOptions(header.options);
  const meta = readMeta(header.meta);
  const model =
    header.model === undefined ? undefined : yield* readModel(header.model, reader, options);
  const graphs = readShardHeaders(header.shards, model === undefined ? 1 : options.shards);
  const { dimensions, distance, m } = options;
  const shards: Shard[] = [];
  const slotIds: Uint32Array[] = [];
  for (const [at, graph] of graphs.entries()) {
    const ids = yield* readWords(reader, `ids.${at}`, graph.used);
    const shard = new Shard({ dimensions, distance, m, model }, graph.used, shared);
    yield* readNodes(shard.nodes, at, graph.used, reader);
    if (shard.isGraph) yield* readGraph(shard.nodes, at, graph, reader);
    yield* restoreSlots(shard, ids);
    if (shard.live > 0 && shard.isGraph && shard.nodes.isUnlinked) throw withoutEntry();
    shards.push(shard);
    slotIds.push(ids);
  }
  reader.requireEnd();
  const ids = yield* readIds(slotIds, header.nextId);
  const state = {
    options,
    model,
    shards,
    ids,
    isAdding: undefined,
    given: new Set<never>(),
    shared,
  };
  return { state, meta };
}

interface ShardHeader {
  used: number;
  entry: number;
  maxLevel: number;
}

function readShardHeaders(value: unknown, length: number): ShardHeader[] {
  const isCount = (n: unknown) => Number.isInteger(n) && (n as number) >= 0;
  const isValid =
    Array.isArray(value) &&
    value.length === length &&
    value.every((shard) => isCount(shard?.used) && shard.used <= 0x7fff_ffff);
  if (!isValid) throw corrupt(KIND, 'its header does not describe its shards');
  return value as ShardHeader[];
}

function readOptions(value: unknown): ResolvedOptions {
  try {
    return resolveOptions(value as ResolvedOptions as never);
  } catch (cause) {
    throw corrupt(KIND, 'its options are not valid', {}, cause);
  }
}

function readMeta(value: unknown): IndexMeta {
  try {
    return checkMeta(value) ?? {};
  } catch (cause) {
    throw corrupt(KIND, 'its meta is not valid', {}, cause);
  }
}

function* readIds(slotIds: readonly Uint32Array[], nextId: unknown): Steps<IdTable> {
  try {
    return yield* IdTable.fromSteps(slotIds, nextId as number);
  } catch (cause) {
    throw corrupt(KIND, 'its ids are not valid', {}, cause);
  }
}

function* readWords(reader: ContainerReader, name: string, length: number): Steps<Uint32Array> {
  return new Uint32Array((yield* reader.read(name, length * 4)).buffer);
}

/** Room is made for what the file holds, not for what its header claims. */
function* readNodes(
  nodes: NodeMemory,
  at: number,
  used: number,
  reader: ContainerReader,
): Steps<void> {
  const parts = nodes.layout.model === undefined ? (['secondary'] as const) : PARTS;
  reader.require(`${parts[0]}.${at}`, used * nodes.bytes[parts[0]]);
  nodes.ensureNodes(used);
  for (const part of parts) {
    const byteLength = used * nodes.bytes[part];
    yield* reader.readInto(`${part}.${at}`, byteLength, nodeParts(nodes, part, used));
  }
}

const PARTS = ['secondary', 'node'] as const;

function withoutEntry(): Error {
  return corrupt(KIND, 'its graph has no entry point');
}

function* readGraph(
  nodes: NodeMemory,
  at: number,
  { used, entry, maxLevel }: ShardHeader,
  reader: ContainerReader,
): Steps<void> {
  if (!Number.isInteger(entry) || !Number.isInteger(maxLevel)) throw withoutEntry();
  nodes.setIndex({ entry, maxLevel });
  const { name, byteLength } = reader.next ?? {};
  if (name !== `upper.${at}` || byteLength! % 4 !== 0) {
    throw corrupt(KIND, 'its upper layers are missing or cut short');
  }
  yield* restoreUpper(nodes, used, yield* readWords(reader, name, byteLength! / 4));
  if (entry !== NONE) yield* checkGraph(nodes, used);
}

/** Checks the entry point and every link, so that searching needs no checks. */
function* checkGraph(nodes: NodeMemory, used: number): Steps<void> {
  const { call } = nodes.kernels;
  if (call.validateEntry(nodes.index, used) === 0) {
    throw corrupt(KIND, 'its entry point is not valid');
  }
  for (let from = 0; from < used; from += NODES_PER_STEP) {
    const to = Math.min(used, from + NODES_PER_STEP);
    const bad = call.validateNodes(nodes.index, used, from, to);
    if (bad !== 0) throw corrupt(KIND, `the links of node ${bad - 1} are not valid`);
    yield;
  }
}

function* restoreUpper(nodes: NodeMemory, count: number, words: Uint32Array): Steps<void> {
  const { m } = nodes.layout;
  let previous = -1;
  let turn = 0;
  for (let at = 0; at < words.length; ) {
    const slot = words[at]!;
    const level = words[at + 1] ?? 0;
    const end = at + 2 + level * m;
    if (slot <= previous || slot >= count || level < 1 || level > 64 || end > words.length) {
      throw corrupt(KIND, `its upper layers are not valid at word ${at}`);
    }
    nodes.addUpperBlock(slot, level, words.subarray(at + 2, end));
    previous = slot;
    at = end;
    if (at < turn) continue;
    turn = at + WORDS_PER_STEP;
    yield;
  }
}

/** Says which slots hold live vectors. */
function* restoreSlots(shard: Shard, ids: Uint32Array): Steps<void> {
  for (let from = 0; from < ids.length; from += SLOTS_PER_STEP) {
    const part = ids.subarray(from, from + SLOTS_PER_STEP);
    shard.fill(Uint32Array.from(part.keys(), (place) => from + place));
    part.forEach((id, place) => {
      shard.nodes.setLive(from + place, true);
      if (id === NONE) shard.remove(from + place);
    });
    yield;
  }
}
