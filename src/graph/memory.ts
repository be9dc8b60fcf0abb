import { LeandexError } from '../base/errors.js';
import { alignUp, Kernels, type KernelVariant, paddedDimensions } from '../kernels/index.js';
import { primaryConstants, primarySlots, type SecondaryBits } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { NESTED_BLOCK, nestedBytes } from '../quant/nested.js';
import { indexFields } from './fields.js';
import { writeModel } from './model-memory.js';
import { BATCH_ROWS, Scratch } from './scratch.js';

/** What nodes look like: an exact store has neither primary codes nor links. */
export interface NodeLayout {
  dimensions: number;
  distance: 'Cosine' | 'Dot' | 'Euclid';
  m: number;
  model: IndexModel | undefined;
}

export const NONE = 0xffff_ffff;
const METRICS = { Cosine: 0, Dot: 1, Euclid: 2 } as const;

/** Slack of the diversity heuristic, on squared distances: finds more at equal work (bench/results/experiments.md). */
const ALPHA = 1.1;
const UPPER_SEGMENT_BYTES = 1 << 16;
const MEMORY_BYTES_MAX = 2 ** 32;

/** Bytes of each node's parts; an exact store has but the last. */
export interface NodeBytes {
  /** Primary record and links of layer 0, side by side: a step to a node touches both. */
  node: number;
  upperPointer: number;
  secondary: number;
}

/** Buffers of one batch of insertions, which all threads share. */
export interface BatchBuffers {
  /** BATCH_ROWS rows of paddedDimensions floats, and as many projections. */
  rows: number;
  projected: number;
  /** Slots of the rows. */
  slots: number;
  /** The batch's links reversed: (target << 32 | source), BATCH_ROWS × m of them. */
  pairs: number;
}

/**
 * The nodes of one index in the linear memory of its own Kernels, as wasm/layout.ts describes them:
 * chunks of nodes that never move, the model's constants, and the working memory of every thread.
 */
export class NodeMemory {
  readonly kernels: Kernels;
  readonly layout: NodeLayout;
  readonly bytes: NodeBytes;
  /** Pointer to the structure that the kernels take. */
  readonly index: number;
  /** Positions in a primary record. */
  readonly slots: number;
  /** Outputs of the projection: the slots, then nested blocks. */
  readonly outputs: number;
  capacity = 0;
  /** Slots 0 … used − 1 are or were in use. */
  used = 0;
  private readonly idle: Scratch[] = [];
  private batchBuffers: BatchBuffers | undefined;
  private batchBytes = 0;
  private readonly chunkShift: number;
  private readonly chunkTable: number;
  private liveCapacity = 0;
  private readonly upperSegments: { start: number; byteLength: number }[] = [];

  /** @param expected nodes to come: chooses the size of the chunks, no limit. */
  constructor(layout: NodeLayout, expected: number, shared: boolean, variant?: KernelVariant) {
    this.layout = layout;
    this.kernels = new Kernels({ shared, ...(variant && { variant }) });
    const { kernels } = this;
    const { model } = layout;
    this.bytes = nodeBytes(kernels, layout);
    this.chunkShift = Math.min(14, Math.max(10, Math.floor(Math.log2(Math.max(1, expected) / 16))));
    this.slots = model === undefined ? 0 : primarySlots(model.primaryBytes, model.primaryBits);
    this.outputs = this.slots + NESTED_BLOCK * (model?.nested?.bits.length ?? 0);
    this.index = kernels.alloc(indexFields.byteLength);
    this.chunkTable = kernels.alloc(Math.ceil(MEMORY_BYTES_MAX / this.chunkBytes()) * 4);
    this.writeIndex();
    if (model !== undefined) writeModel(this, model);
  }

  private offsets() {
    const nodes = 2 ** this.chunkShift;
    const upperPointer = alignUp(nodes * this.bytes.node, 64);
    const secondary = upperPointer + alignUp(nodes * this.bytes.upperPointer, 64);
    return { node: 0, upperPointer, secondary };
  }

  private chunkBytes(): number {
    return this.offsets().secondary + alignUp(2 ** this.chunkShift * this.bytes.secondary, 64);
  }

  private writeIndex(): void {
    const { layout, bytes } = this;
    const { model } = layout;
    const offsets = this.offsets();
    this.setIndex({
      chunkTable: this.chunkTable,
      chunkShift: this.chunkShift,
      dimensions: layout.dimensions,
      metric: METRICS[layout.distance],
      primaryOffset: 0,
      primaryBytes: this.primaryBytes,
      primaryStride: this.bytes.node,
      linksStride: this.bytes.node,
      primaryBits: model?.primaryBits ?? 0,
      primaryUsed: model?.primaryDimensions ?? 0,
      linksOffset: this.primaryBytes,
      upperOffset: offsets.upperPointer,
      secondaryOffset: offsets.secondary,
      secondaryStride: bytes.secondary,
      secondaryBits: kernelBits(model?.secondaryBits ?? 32),
      outputs: this.outputs,
      m: layout.m,
      m0: 2 * layout.m,
      entry: NONE,
      primaryConstants: primaryConstants(layout.distance),
    });
    indexFields.writeFloat(this.kernels, this.index, 'unit', model?.unit ?? 1);
    indexFields.writeFloat(this.kernels, this.index, 'queryScale', model?.queryScale ?? 1);
    indexFields.writeFloat(this.kernels, this.index, 'alpha', ALPHA);
  }

  /**
   * Makes room for nodes 0 … count − 1, and in idle working memory for their marks. Searches in
   * other threads that began before have no room for them: they must end before new nodes are
   * linked. Throws RESOURCE_EXHAUSTED, and has then changed nothing that counts.
   */
  ensureNodes(count: number): void {
    if (count <= this.capacity) return;
    const nodes = 2 ** this.chunkShift;
    const capacity = alignUp(count, nodes);
    try {
      this.ensureLive(capacity);
      for (const scratch of this.idle) scratch.ensureMarks(capacity);
      while (this.capacity < capacity) {
        const chunk = this.kernels.alloc(this.chunkBytes());
        this.kernels.u32(this.chunkTable + (this.capacity / nodes) * 4, 1)[0] = chunk;
        this.capacity += nodes;
      }
    } catch (cause) {
      throw isExhausted(cause) ? noRoom(count, this.capacity, cause) : cause;
    }
  }

  /** One bit a slot; a copy moves to where there is room, readers may still use the old one. */
  private ensureLive(least: number): void {
    if (least <= this.liveCapacity) return;
    const { kernels, liveCapacity } = this;
    const capacity = Math.max(least, 2 * liveCapacity);
    const live = kernels.alloc(alignUp(capacity / 8, 64));
    if (liveCapacity > 0) {
      kernels.u8(live, liveCapacity / 8).set(kernels.u8(this.getIndex('live'), liveCapacity / 8));
    }
    this.setIndex({ live });
    this.liveCapacity = capacity;
  }

  isLive(slot: number): boolean {
    const word = this.kernels.words[this.getIndex('live') / 4 + (slot >>> 5)]!;
    return ((word >>> (slot & 31)) & 1) === 1;
  }

  setLive(slot: number, live: boolean): void {
    const { words } = this.kernels;
    const at = this.getIndex('live') / 4 + (slot >>> 5);
    const bit = 1 << (slot & 31);
    words[at] = live ? words[at]! | bit : words[at]! & ~bit;
  }

  /** Working memory for one thread, until it is given back. */
  takeScratch(): Scratch {
    const { dimensions, m } = this.layout;
    const shape = { dimensions, m, slots: this.slots, outputs: this.outputs };
    const scratch = this.idle.pop() ?? new Scratch(this.kernels, shape);
    try {
      scratch.ensureMarks(this.capacity);
    } catch (error) {
      // Next time another one, which may have them.
      this.idle.unshift(scratch);
      throw error;
    }
    return scratch;
  }

  giveBack(scratch: Scratch): void {
    this.idle.push(scratch);
  }

  /** The buffers of a batch of insertions. */
  get batch(): BatchBuffers {
    if (this.batchBuffers === undefined) {
      const { kernels, outputs, layout } = this;
      const before = kernels.usedBytes;
      this.batchBuffers = {
        rows: kernels.alloc(BATCH_ROWS * paddedDimensions(layout.dimensions) * 4),
        projected: kernels.alloc(BATCH_ROWS * Math.max(8, outputs) * 4),
        slots: kernels.alloc(BATCH_ROWS * 4),
        pairs: kernels.alloc(BATCH_ROWS * layout.m * 8),
      };
      this.batchBytes = kernels.usedBytes - before;
    }
    return this.batchBuffers;
  }

  get primaryBytes(): number {
    return this.layout.model?.primaryBytes ?? 0;
  }

  /** The links of a node on layer 0. */
  linksOf(slot: number): Uint32Array<ArrayBuffer> {
    const at = this.chunkOf(slot) + this.inChunk(slot) * this.bytes.node + this.primaryBytes;
    return this.kernels.u32(at, 2 * this.layout.m);
  }

  /** Whether a secondary record has room for what replaces it while a graph is built. */
  get hasRoomForBuildCodes(): boolean {
    // Distances between vectors projected for queries are not those of the vectors.
    if (this.layout.model?.queryProjection !== undefined) return false;
    const { primaryBytes, primaryBits = 32 } = this.layout.model ?? {};
    const constants = primaryConstants(this.layout.distance);
    const bytes = this.kernels.call.buildCodeBytes(primaryBytes ?? 0, primaryBits, constants);
    return bytes <= this.bytes.secondary;
  }

  /** Whether no node is linked. */
  get isUnlinked(): boolean {
    return this.getIndex('entry') === NONE;
  }

  /** Whether build codes are in the place of secondary records, so that nothing can be found. */
  get isBuilding(): boolean {
    return this.getIndex('building') !== 0;
  }

  /** Address of a node's upper block, 0 for none. */
  upperBlockOf(slot: number): number {
    if (slot >= this.capacity) return 0;
    const at = this.chunkOf(slot) + this.offsets().upperPointer + this.inChunk(slot) * 4;
    return this.kernels.words[at / 4]!;
  }

  /** The level of a slot that is or was in use; it never changes. */
  levelOf(slot: number): number | undefined {
    if (slot >= this.used) return undefined;
    const block = this.upperBlockOf(slot);
    return block === 0 ? 0 : this.kernels.u32(block, 1)[0]!;
  }

  /** Bytes of an upper block: level and padding, then m links a layer. */
  upperBlockBytes(level: number): number {
    return alignUp(16 + level * this.layout.m * 4, 16);
  }

  /** Makes room for upper blocks of so many bytes in all. */
  ensureUpper(bytes: number): void {
    if (this.getIndex('upperNext') + bytes > this.getIndex('upperEnd')) {
      const byteLength = Math.max(bytes, UPPER_SEGMENT_BYTES);
      // A search reads a line or two beyond the block that it will expand next.
      const start = this.kernels.alloc(byteLength + 64);
      this.upperSegments.push({ start, byteLength });
      this.setIndex({ upperNext: start, upperEnd: start + byteLength });
    }
  }

  /** Gives a new node an upper block: its level, and m links a layer. */
  addUpperBlock(slot: number, level: number, links: Uint32Array): void {
    const size = this.upperBlockBytes(level);
    this.ensureUpper(size);
    const block = this.getIndex('upperNext');
    this.setIndex({ upperNext: block + size });
    this.kernels.u32(block, 1)[0] = level;
    this.kernels.u32(block + 16, links.length).set(links);
    const at = this.chunkOf(slot) + this.offsets().upperPointer + this.inChunk(slot) * 4;
    this.kernels.u32(at, 1)[0] = block;
  }

  /** Bytes of all upper blocks. */
  get upperBlockTotal(): number {
    const unused = this.getIndex('upperEnd') - this.getIndex('upperNext');
    return this.upperSegmentBytes - unused;
  }

  /** The first `count` nodes as runs that lie in one chunk each. */
  *runs(count: number): Generator<{ first: number; size: number }> {
    const most = 2 ** this.chunkShift;
    for (let first = 0; first < count; first += most) {
      yield { first, size: Math.min(most, count - first) };
    }
  }

  /** Bytes of what all nodes share when they are searched: model, working memory, marks. */
  get sharedBytes(): number {
    const chunks = (this.capacity / 2 ** this.chunkShift) * this.chunkBytes();
    return this.kernels.usedBytes - chunks - this.upperSegmentBytes - this.batchBytes;
  }

  private get upperSegmentBytes(): number {
    return this.upperSegments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The parts of nodes first … first + count − 1 that lie in one chunk, as one view. */
  part(part: keyof NodeBytes, first: number, count: number): Uint8Array<ArrayBuffer> {
    const offset = this.offsets()[part];
    const stride = this.bytes[part];
    return this.kernels.u8(
      this.chunkOf(first) + offset + this.inChunk(first) * stride,
      count * stride,
    );
  }

  /** Address of a node's secondary record. */
  secondaryOf(id: number): number {
    return this.chunkOf(id) + this.offsets().secondary + this.inChunk(id) * this.bytes.secondary;
  }

  private chunkOf(id: number): number {
    return this.kernels.words[this.chunkTable / 4 + (id >>> this.chunkShift)]!;
  }

  private inChunk(id: number): number {
    return id & (2 ** this.chunkShift - 1);
  }

  getIndex(field: Parameters<typeof indexFields.read>[2]): number {
    return indexFields.read(this.kernels, this.index, field);
  }

  setIndex(values: Parameters<typeof indexFields.write>[2]): void {
    indexFields.write(this.kernels, this.index, values);
  }
}

function isExhausted(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'RESOURCE_EXHAUSTED';
}

function noRoom(count: number, capacity: number, cause: unknown): LeandexError {
  const problem = `no room for ${count} vectors in one memory, which has room for ${capacity}`;
  const message = `${problem}: build the index with more \`shards\` (${(cause as Error).message})`;
  return new LeandexError('RESOURCE_EXHAUSTED', message, { details: { count, capacity }, cause });
}

function nodeBytes(kernels: Kernels, { model, dimensions, m }: NodeLayout): NodeBytes {
  if (model === undefined) return { node: 0, upperPointer: 0, secondary: dimensions * 4 };
  return {
    node: alignUp(model.primaryBytes + 2 * m * 4, 64),
    upperPointer: 4,
    secondary: secondaryBytes(kernels, model),
  };
}

function secondaryBytes(kernels: Kernels, model: IndexModel): number {
  const { nested, primaryBytes, dimensions, secondaryBits } = model;
  if (secondaryBits === 'none') return 0;
  if (nested !== undefined) return nestedBytes(primaryBytes, nested.bits);
  return kernels.call.secondaryBytes(dimensions, kernelBits(secondaryBits));
}

/** What `secondaryBits` is to the kernels; nested records have a structure of their own instead. */
function kernelBits(bits: SecondaryBits): number {
  return bits === 'nested' || bits === 'none' ? 0 : bits;
}
