import { outOfRange, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { asBytes, joined } from '../format/container.js';
import { layOut, type PartedContainer } from '../format/container-writer.js';
import { PART_BYTES, partsOf } from '../format/layout.js';
import { NONE, type NodeBytes, type NodeMemory } from './memory.js';
import type { ResolvedOptions } from './options.js';
import { describeModel } from './saved-model.js';
import type { IndexState } from './state.js';

/** Words of the caller that are saved with an index. */
export type IndexMeta = Record<string, string | number | boolean>;

/** Takes the next part of the bytes; what it views may change once this resolves. */
export type PartWriter = (part: Uint8Array) => Promise<void>;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for what would not come back as it is. */
export function checkMeta(meta: unknown): IndexMeta | undefined {
  if (meta === undefined) return undefined;
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) {
    throw wrongType('meta', 'an object', meta);
  }
  for (const [name, value] of Object.entries(meta)) {
    if (name === '__proto__') throw outOfRange('a name in meta', 'another', name);
    if (typeof value === 'string' || typeof value === 'boolean') continue;
    if (typeof value !== 'number') {
      throw wrongType(`meta.${name}`, 'a string, number or boolean', value);
    }
    if (!Number.isFinite(value)) throw outOfRange(`meta.${name}`, 'finite', value);
  }
  return meta as IndexMeta;
}

/** The whole index, its meta included, as one array. The same index always gives the same bytes. */
export function toBytes(state: IndexState, meta: IndexMeta | undefined): Uint8Array {
  return joined(drain(layOut(drain(describe(state, meta)))));
}

/**
 * Hands over the bytes part by part. Vectors may be deleted meanwhile, not added: what is saved are
 * the ids of the first step.
 */
export function* saveSteps(
  state: IndexState,
  meta: IndexMeta | undefined,
  write: PartWriter,
): Steps<void> {
  // A memory that is not shared moves when it grows, as a search may make it do.
  const writePart: PartWriter = state.shared ? write : (part) => write(part.slice());
  yield* writeParts(yield* describe(state, meta), writePart);
}

/** Hands over the bytes of a container part by part, each once the one before it is taken. */
export function* writeParts(container: PartedContainer, write: PartWriter): Steps<void> {
  const { byteLength, parts } = yield* layOut(container);
  let done = 0;
  for (const part of parts()) {
    yield Promise.resolve(write(part));
    done += part.length;
    yield { phase: 'save', done, total: byteLength };
  }
}

/** What is saved of an index (docs/format.md). */
function* describe(state: IndexState, meta: IndexMeta | undefined): Steps<PartedContainer> {
  const { options, model, shards, ids } = state;
  // First of all, before anything more is deleted.
  const slotIds = shards.map(({ nodes }, at) => idsOfSlots(state, at, nodes.used));
  const header: PartedContainer['header'] = {
    options: definedOnly(options),
    nextId: ids.nextId,
    shards: shards.map(({ nodes }) => ({
      used: nodes.used,
      ...(model && { entry: nodes.getIndex('entry'), maxLevel: nodes.getIndex('maxLevel') }),
    })),
  };
  const sections: PartedContainer['sections'] = {};
  if (model !== undefined) {
    const described = describeModel(model);
    header.model = described.header;
    Object.assign(sections, described.sections);
  }
  if (meta !== undefined) header.meta = inOrder(meta);
  for (const [at, { nodes }] of shards.entries()) {
    const { used } = nodes;
    sections[`ids.${at}`] = () => partsOf(asBytes(slotIds[at]!));
    sections[`secondary.${at}`] = () => nodeParts(nodes, 'secondary', used);
    if (model === undefined) continue;
    sections[`node.${at}`] = () => nodeParts(nodes, 'node', used);
    const upper = yield* collectUpper(nodes, used);
    sections[`upper.${at}`] = () => partsOf(asBytes(upper));
  }
  return { kind: 'index', header, sections };
}

/** The id in each slot, NONE where no live vector is. */
function idsOfSlots({ ids }: IndexState, shard: number, used: number): Uint32Array {
  const out = new Uint32Array(used).fill(NONE);
  out.set(ids.idsOf(shard));
  return out;
}

/** One part of the first `count` nodes in the order of slots, whatever the chunks are, as views. */
export function* nodeParts(
  nodes: NodeMemory,
  part: keyof NodeBytes,
  count: number,
): Generator<Uint8Array> {
  const most = Math.max(1, Math.floor(PART_BYTES / nodes.bytes[part]));
  for (const { first, size } of nodes.runs(count)) {
    for (let from = 0; from < size; from += most) {
      yield nodes.part(part, first + from, Math.min(most, size - from));
    }
  }
}

/**
 * Upper layers as words: for each node above layer 0 its slot, its level, m links a layer. Layers
 * above the entry point's, which only nodes have that are deleted, are left out.
 */
function* collectUpper(nodes: NodeMemory, count: number): Steps<Uint32Array> {
  const { m } = nodes.layout;
  const highest = nodes.isUnlinked ? Infinity : nodes.getIndex('maxLevel');
  const words: number[] = [];
  for (const { first, size } of nodes.runs(count)) {
    for (let slot = first; slot < first + size; slot++) {
      const block = nodes.upperBlockOf(slot);
      if (block === 0) continue;
      const level = Math.min(highest, nodes.kernels.words[block / 4]!);
      if (level > 0) words.push(slot, level, ...nodes.kernels.u32(block + 16, level * m));
    }
    yield;
  }
  return Uint32Array.from(words);
}

function definedOnly(options: ResolvedOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The same names in the same order, whoever wrote them down. */
function inOrder(meta: IndexMeta): IndexMeta {
  return Object.fromEntries(Object.entries(meta).sort(([a], [b]) => (a < b ? -1 : 1)));
}
