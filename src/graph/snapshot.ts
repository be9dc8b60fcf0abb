import {
  asBytes,
  type Container,
  corrupt,
  floatSection,
  readContainer,
  sectionOf,
  writeContainer,
} from '../format/container.js';
import { primaryBytes } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { NONE, type NodeBytes, NodeMemory } from './memory.js';
import { type ResolvedOptions, resolveOptions } from './options.js';

/** What an index is made of, on either side of its bytes. */
export interface IndexContent {
  options: ResolvedOptions;
  model: IndexModel | undefined;
  nodes: NodeMemory;
  count: number;
}

const KIND = 'index';

/** The same index always gives the same bytes (docs/format.md). */
export function writeIndex({ options, model, nodes, count }: IndexContent): Uint8Array {
  const header: Record<string, unknown> = { options: definedOnly(options), count };
  const sections: Container['sections'] = {};
  if (model !== undefined) {
    const { mean, projection, ...rest } = model;
    header.model = rest;
    header.graph = { entry: nodes.getIndex('entry'), maxLevel: nodes.getIndex('maxLevel') };
    sections.mean = asBytes(mean);
    sections.projection = asBytes(projection);
    sections.primary = collect(nodes, 'primary', count);
    sections.links = collect(nodes, 'links', count);
    sections.upper = asBytes(collectUpper(nodes, count));
  }
  sections.secondary = collect(nodes, 'secondary', count);
  return writeContainer({ kind: KIND, header, sections });
}

/** @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`; TypeError for anything but bytes. */
export function readIndex(bytes: Uint8Array): IndexContent {
  const { header, sections } = readContainer(bytes, KIND);
  const options = readOptions(header.options);
  const { dimensions, distance, m } = options;
  const { count } = header;
  if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > 0x7fff_ffff) {
    throw corrupt(KIND, 'its count is not a number of vectors');
  }
  const model = header.model === undefined ? undefined : readModel(header.model, sections, options);
  const nodes = new NodeMemory({ dimensions, distance, m, model }, count as number);
  const content = { options, model, nodes, count: count as number };
  for (const part of model === undefined ? (['secondary'] as const) : PARTS) {
    sectionOf(sections, part, content.count * nodes.bytes[part], KIND);
  }
  nodes.ensureNodes(content.count);
  restore(nodes, 'secondary', content.count, sections.secondary!);
  if (model !== undefined) restoreGraph(content, header.graph, sections);
  return content;
}

const PARTS = ['primary', 'links', 'secondary'] as const;

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
  const rest = value as Omit<IndexModel, 'mean' | 'projection'>;
  const { dimensions } = options;
  const isValid =
    typeof value === 'object' &&
    value !== null &&
    rest.dimensions === dimensions &&
    rest.distance === options.distance &&
    rest.secondaryBits === options.secondaryBits &&
    [2, 4, 7].includes(rest.primaryBits) &&
    Number.isInteger(rest.primaryDimensions) &&
    rest.primaryDimensions >= 1 &&
    rest.primaryDimensions <= dimensions &&
    rest.primaryBytes === primaryBytes(rest.primaryDimensions, rest.primaryBits) &&
    rest.unit > 0 &&
    Number.isFinite(rest.unit) &&
    typeof rest.energyKept === 'number' &&
    rest.energyKept >= 0;
  if (!isValid) throw corrupt(KIND, 'its model is not valid');
  const mean = floatSection(sections, 'mean', dimensions, KIND);
  const length = rest.primaryDimensions * dimensions;
  const projection = floatSection(sections, 'projection', length, KIND);
  return { ...rest, mean, projection };
}

function restoreGraph(
  { nodes, count, options }: IndexContent,
  graph: unknown,
  sections: Container['sections'],
): void {
  restore(nodes, 'primary', count, sections.primary!);
  restore(nodes, 'links', count, sections.links!);
  const { entry, maxLevel } = (graph ?? {}) as { entry?: number; maxLevel?: number };
  if (!Number.isInteger(entry) || !Number.isInteger(maxLevel)) {
    throw corrupt(KIND, 'its graph has no entry point');
  }
  nodes.setIndex({ entry: entry!, maxLevel: maxLevel! });
  restoreUpper(nodes, count, options.m, sections.upper);
  if (count === 0 && entry === NONE) return;
  const bad = nodes.kernels.call.validateGraph(nodes.index, count);
  if (bad !== 0) throw corrupt(KIND, `the links of node ${bad - 1} are not valid`);
}

/** One part of all nodes in id order, whatever the chunks are. */
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

/** Upper layers as words: for each node above layer 0 its id, its level, m links a layer. */
function collectUpper(nodes: NodeMemory, count: number): Uint32Array {
  const { m } = nodes.layout;
  const words: number[] = [];
  nodes.forRuns(count, (first, size) => {
    const bytes = nodes.part('upperPointer', first, size);
    new Uint32Array(bytes.buffer, bytes.byteOffset, size).forEach((block, i) => {
      if (block === 0) return;
      const level = nodes.kernels.u32(block, 1)[0]!;
      words.push(first + i, level, ...nodes.kernels.u32(block + 16, level * m));
    });
  });
  return Uint32Array.from(words);
}

function restoreUpper(nodes: NodeMemory, count: number, m: number, bytes?: Uint8Array): void {
  if (bytes === undefined || bytes.length % 4 !== 0) {
    throw corrupt(KIND, 'its upper layers are missing or cut short');
  }
  const words = new Uint32Array(bytes.slice().buffer);
  let previous = -1;
  for (let at = 0; at < words.length; ) {
    const id = words[at]!;
    const level = words[at + 1] ?? 0;
    const end = at + 2 + level * m;
    if (id <= previous || id >= count || level < 1 || level > 64 || end > words.length) {
      throw corrupt(KIND, `its upper layers are not valid at word ${at}`);
    }
    const size = nodes.upperBlockBytes(level);
    nodes.ensureUpper(size);
    const block = nodes.getIndex('upperNext');
    nodes.setIndex({ upperNext: block + size });
    nodes.kernels.u32(block, 1)[0] = level;
    nodes.kernels.u32(block + 16, level * m).set(words.subarray(at + 2, end));
    const pointer = nodes.part('upperPointer', id, 1);
    new DataView(pointer.buffer, pointer.byteOffset, 4).setUint32(0, block, true);
    previous = id;
    at = end;
  }
}

function definedOnly(options: ResolvedOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
