import {
  asBytes,
  type Container,
  corrupt,
  floatSection,
  readContainer,
  sectionOf,
  writeContainer,
} from '../format/container.js';
import { PRIMARY_BITS, primaryBytes, type SecondaryBits } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { areNestedBits, NESTED_BLOCK, type NestedModel } from '../quant/nested.js';
import { IdTable } from './id-table.js';
import { NONE, type NodeBytes, type NodeMemory } from './memory.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import { Shard } from './shard.js';
import type { IndexState } from './state.js';

const KIND = 'index';

/** The same index always gives the same bytes (docs/format.md). */
export function writeIndex({ options, model, shards, ids }: IndexState): Uint8Array {
  const sections: Container['sections'] = {};
  const header: Record<string, unknown> = {
    options: definedOnly(options),
    nextId: ids.nextId,
    shards: shards.map(({ nodes }) => ({
      used: nodes.used,
      ...(model && { entry: nodes.getIndex('entry'), maxLevel: nodes.getIndex('maxLevel') }),
    })),
  };
  if (model !== undefined) {
    const { mean, projection, queryProjection, nested, ...rest } = model;
    header.model = { ...rest, ...(nested && { nestedBits: nested.bits }) };
    if (nested !== undefined) sections.nestedProjection = asBytes(nested.projection);
    sections.mean = asBytes(mean);
    sections.projection = asBytes(projection);
    if (queryProjection !== undefined) sections.queryProjection = asBytes(queryProjection);
  }
  shards.forEach(({ nodes }, at) => {
    const { used } = nodes;
    sections[`ids.${at}`] = asBytes(idsOfSlots(ids, at, used));
    sections[`secondary.${at}`] = collect(nodes, 'secondary', used);
    if (model === undefined) return;
    sections[`node.${at}`] = collect(nodes, 'node', used);
    sections[`upper.${at}`] = asBytes(collectUpper(nodes, used));
  });
  return writeContainer({ kind: KIND, header, sections });
}

/** The id in each slot, NONE where no live vector is. */
function idsOfSlots(ids: IdTable, shard: number, used: number): Uint32Array {
  const out = new Uint32Array(used).fill(NONE);
  out.set(ids.idsOf(shard));
  return out;
}

/** @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`; TypeError for anything but bytes. */
export function readIndex(bytes: Uint8Array, shared: boolean): IndexState {
  const { header, sections } = readContainer(bytes, KIND);
  const options = readOptions(header.options);
  const model = header.model === undefined ? undefined : readModel(header.model, sections, options);
  const graphs = readShardHeaders(header.shards, model === undefined ? 1 : options.shards);
  const slotIds = graphs.map(({ used }, at) => wordsOf(sections, `ids.${at}`, used));
  const ids = readIds(slotIds, header.nextId);
  const { dimensions, distance, m } = options;
  const shards = graphs.map((graph, at) => {
    const shard = new Shard({ dimensions, distance, m, model }, graph.used, shared);
    restoreShard(shard, at, graph, slotIds[at]!, sections);
    if (shard.live > 0 && shard.isGraph && shard.nodes.isUnlinked) throw withoutEntry();
    return shard;
  });
  return { options, model, shards, ids, isAdding: undefined, given: new Set(), shared };
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

function readIds(slotIds: readonly Uint32Array[], nextId: unknown): IdTable {
  try {
    return IdTable.from(slotIds, nextId as number);
  } catch (cause) {
    throw corrupt(KIND, 'its ids are not valid', {}, cause);
  }
}

function wordsOf(sections: Container['sections'], name: string, length: number): Uint32Array {
  return new Uint32Array(sectionOf(sections, name, length * 4, KIND).slice().buffer);
}

function restoreShard(
  shard: Shard,
  at: number,
  graph: ShardHeader,
  slotIds: Uint32Array,
  sections: Container['sections'],
): void {
  const { nodes } = shard;
  const { used } = graph;
  const parts = shard.isGraph ? PARTS : (['secondary'] as const);
  for (const part of parts) sectionOf(sections, `${part}.${at}`, used * nodes.bytes[part], KIND);
  nodes.ensureNodes(used);
  for (const part of parts) restore(nodes, part, used, sections[`${part}.${at}`]!);
  if (shard.isGraph) restoreGraph(nodes, graph, sections[`upper.${at}`]);
  const slots = Uint32Array.from(slotIds.keys());
  shard.fill(slots);
  for (const slot of slots) nodes.setLive(slot, true);
  for (const slot of slots) if (slotIds[slot] === NONE) shard.remove(slot);
}

const PARTS = ['node', 'secondary'] as const;

function readOptions(value: unknown): ResolvedOptions {
  try {
    return resolveOptions(value as ResolvedOptions as never);
  } catch (cause) {
    throw corrupt(KIND, 'its options are not valid', {}, cause);
  }
}

function readModel(
  value: unknown,
  sections: Container['sections'],
  options: ResolvedOptions,
): IndexModel {
  const { nestedBits, ...rest } = (value ?? {}) as Omit<
    IndexModel,
    'mean' | 'projection' | 'queryProjection' | 'nested'
  > & { nestedBits?: unknown };
  const { dimensions } = options;
  const isValid =
    typeof value === 'object' &&
    value !== null &&
    rest.dimensions === dimensions &&
    rest.distance === options.distance &&
    isSecondary(rest.secondaryBits, options.secondaryBits) &&
    PRIMARY_BITS.includes(rest.primaryBits) &&
    Number.isInteger(rest.primaryDimensions) &&
    rest.primaryDimensions >= 1 &&
    rest.primaryDimensions <= dimensions &&
    (rest.primaryBits !== 32 || rest.primaryDimensions === dimensions) &&
    rest.primaryBytes ===
      primaryBytes(rest.primaryDimensions, rest.primaryBits, options.distance) &&
    Number.isInteger(rest.seed) &&
    rest.queryScale > 0 &&
    Number.isFinite(rest.queryScale) &&
    rest.unit > 0 &&
    Number.isFinite(rest.unit) &&
    typeof rest.energyKept === 'number' &&
    rest.energyKept >= 0;
  if (!isValid) throw corrupt(KIND, 'its model is not valid');
  const mean = floatSection(sections, 'mean', dimensions, KIND);
  const length = rest.primaryBits === 32 ? 0 : rest.primaryDimensions * dimensions;
  const projection = floatSection(sections, 'projection', length, KIND);
  const queryProjection =
    sections.queryProjection && floatSection(sections, 'queryProjection', length, KIND);
  const nested = readNested(nestedBits, rest, sections, queryProjection !== undefined);
  return { ...rest, mean, projection, queryProjection, nested };
}

/** Whether a model that was to have `wanted` may have `bits`. */
function isSecondary(bits: SecondaryBits, wanted: SecondaryBits): boolean {
  return bits === wanted || (wanted === 'nested' && bits === 4);
}

function readNested(
  bits: unknown,
  {
    secondaryBits,
    primaryBits,
    dimensions,
  }: Pick<IndexModel, 'secondaryBits' | 'primaryBits' | 'dimensions'>,
  sections: Container['sections'],
  hasQueryProjection: boolean,
): NestedModel | undefined {
  if (secondaryBits !== 'nested') return undefined;
  if (!areNestedBits(bits) || primaryBits !== 2 || hasQueryProjection) {
    throw corrupt(KIND, 'its nested codes are not valid');
  }
  const length = bits.length * NESTED_BLOCK * dimensions;
  return { bits, projection: floatSection(sections, 'nestedProjection', length, KIND) };
}

function withoutEntry(): Error {
  return corrupt(KIND, 'its graph has no entry point');
}

function restoreGraph(nodes: NodeMemory, graph: ShardHeader, upper: Uint8Array | undefined): void {
  const { used, entry, maxLevel } = graph;
  if (!Number.isInteger(entry) || !Number.isInteger(maxLevel)) {
    throw withoutEntry();
  }
  nodes.setIndex({ entry, maxLevel });
  restoreUpper(nodes, used, upper);
  if (entry === NONE) return;
  const bad = nodes.kernels.call.validateGraph(nodes.index, used);
  if (bad !== 0) throw corrupt(KIND, `the links of node ${bad - 1} are not valid`);
}

/** One part of all nodes in the order of slots, whatever the chunks are. */
function collect(nodes: NodeMemory, part: keyof NodeBytes, count: number): Uint8Array {
  const stride = nodes.bytes[part];
  const out = new Uint8Array(count * stride);
  nodes.forRuns(count, (first, size) => out.set(nodes.part(part, first, size), first * stride));
  return out;
}

function restore(nodes: NodeMemory, part: keyof NodeBytes, count: number, bytes: Uint8Array): void {
  const stride = nodes.bytes[part];
  nodes.forRuns(count, (first, size) => {
    nodes.part(part, first, size).set(bytes.subarray(first * stride, (first + size) * stride));
  });
}

/**
 * Upper layers as words: for each node above layer 0 its slot, its level, m links a layer. Layers
 * above the entry point's, which only nodes have that are deleted, are left out.
 */
function collectUpper(nodes: NodeMemory, count: number): Uint32Array {
  const { m } = nodes.layout;
  const highest = nodes.isUnlinked ? Infinity : nodes.getIndex('maxLevel');
  const words: number[] = [];
  nodes.forRuns(count, (first, size) => {
    const bytes = nodes.part('upperPointer', first, size);
    new Uint32Array(bytes.buffer, bytes.byteOffset, size).forEach((block, i) => {
      if (block === 0) return;
      const level = Math.min(highest, nodes.kernels.u32(block, 1)[0]!);
      if (level === 0) return;
      words.push(first + i, level, ...nodes.kernels.u32(block + 16, level * m));
    });
  });
  return Uint32Array.from(words);
}

function restoreUpper(nodes: NodeMemory, count: number, bytes?: Uint8Array): void {
  if (bytes === undefined || bytes.length % 4 !== 0) {
    throw corrupt(KIND, 'its upper layers are missing or cut short');
  }
  const { m } = nodes.layout;
  const words = new Uint32Array(bytes.slice().buffer);
  let previous = -1;
  for (let at = 0; at < words.length; ) {
    const id = words[at]!;
    const level = words[at + 1] ?? 0;
    const end = at + 2 + level * m;
    if (id <= previous || id >= count || level < 1 || level > 64 || end > words.length) {
      throw corrupt(KIND, `its upper layers are not valid at word ${at}`);
    }
    nodes.addUpperBlock(id, level, words.subarray(at + 2, end));
    previous = id;
    at = end;
  }
}

function definedOnly(options: ResolvedOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
