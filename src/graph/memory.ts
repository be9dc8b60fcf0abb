import { alignUp, Kernels, type KernelVariant, paddedDimensions } from '../kernels/index.js';
import { primarySlots } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { indexFields, scratchFields } from './fields.js';

/** What nodes look like: an exact store has neither primary codes nor links. */
export interface NodeLayout {
  dimensions: number;
  distance: 'Cosine' | 'Dot' | 'Euclid';
  m: number;
  model: IndexModel | undefined;
}

export const NONE = 0xffff_ffff;
const METRICS = { Cosine: 0, Dot: 1, Euclid: 2 } as const;

/** Rows that are projected and encoded together. */
export const BATCH_ROWS = 64;

const UPPER_SEGMENT_BYTES = 1 << 16;
const MEMORY_BYTES_MAX = 2 ** 32;
const BEAM_CAPACITY_MIN = 256;

/** Bytes of each node's parts. */
export interface NodeBytes {
  primary: number;
  links: number;
  upperPointer: number;
  secondary: number;
}

/**
 * The nodes of one index in the linear memory of its own Kernels, as wasm/layout.ts describes them:
 * chunks of nodes that never move, the working memory of a search, and the model's constants.
 */
export class NodeMemory {
  readonly kernels: Kernels;
  readonly layout: NodeLayout;
  readonly bytes: NodeBytes;
  /** Pointers to the two structures that the kernels take. */
  readonly index: number;
  readonly scratch: number;
  /** Working buffers: rows and projections of one batch, and the ids of its nodes. */
  readonly rows: number;
  readonly projected: number;
  readonly batchIds: number;
  /** The projection of one query; that of a batch must outlive searches between its insertions. */
  readonly queryProjected: number;
  readonly slots: number;
  capacity = 0;
  /** Where searches leave ids (u32) and scores (f32), resultCapacity of each. */
  resultIds = 0;
  resultScores = 0;
  private resultCapacity = 0;
  private readonly chunkShift: number;
  private readonly chunkTable: number;
  private upperBytes = 0;
  private readonly upperSegments: { start: number; byteLength: number }[] = [];

  /** @param expected nodes to come: chooses the size of the chunks, no limit. */
  constructor(layout: NodeLayout, expected: number, variant?: KernelVariant) {
    this.layout = layout;
    this.kernels = new Kernels(variant === undefined ? {} : { variant });
    const { kernels } = this;
    const { model, dimensions } = layout;
    this.bytes = nodeBytes(kernels, layout);
    this.chunkShift = Math.min(14, Math.max(10, Math.floor(Math.log2(Math.max(1, expected) / 16))));
    this.slots = model === undefined ? 0 : primarySlots(model.primaryBytes, model.primaryBits);
    this.index = kernels.alloc(indexFields.byteLength);
    this.scratch = kernels.alloc(scratchFields.byteLength);
    this.chunkTable = kernels.alloc(Math.ceil(MEMORY_BYTES_MAX / this.chunkBytes()) * 4);
    const floats = paddedDimensions(dimensions);
    this.rows = kernels.alloc(BATCH_ROWS * floats * 4);
    this.projected = kernels.alloc(BATCH_ROWS * Math.max(8, this.slots) * 4);
    this.batchIds = kernels.alloc(BATCH_ROWS * 4);
    this.queryProjected = kernels.alloc(Math.max(8, this.slots) * 4);
    this.writeIndex();
    this.writeScratch();
    if (model !== undefined) this.writeModel(model);
  }

  private offsets() {
    const nodes = 2 ** this.chunkShift;
    const links = alignUp(nodes * this.bytes.primary, 64);
    const upperPointer = links + alignUp(nodes * this.bytes.links, 64);
    const secondary = upperPointer + alignUp(nodes * this.bytes.upperPointer, 64);
    return { primary: 0, links, upperPointer, secondary };
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
      primaryOffset: offsets.primary,
      primaryBytes: bytes.primary,
      primaryBits: model?.primaryBits ?? 0,
      primaryUsed: model?.primaryDimensions ?? 0,
      linksOffset: offsets.links,
      upperOffset: offsets.upperPointer,
      secondaryOffset: offsets.secondary,
      secondaryStride: bytes.secondary,
      secondaryBits: model?.secondaryBits ?? 32,
      m: layout.m,
      m0: 2 * layout.m,
      entry: NONE,
    });
    indexFields.writeFloat(this.kernels, this.index, 'unit', model?.unit ?? 1);
  }

  private writeScratch(): void {
    const { kernels, slots } = this;
    const links = 2 * this.layout.m;
    scratchFields.write(kernels, this.scratch, {
      input: kernels.alloc(alignUp(this.layout.dimensions, 8) * 2),
      codes: kernels.alloc(Math.max(16, slots)),
      constants: kernels.alloc(8),
      gatherIds: kernels.alloc((links + 1) * 4),
      gatherRecords: kernels.alloc((links + 1) * 4),
      gatherDistances: kernels.alloc((links + 1) * 4),
      selected: kernels.alloc(2 * (links + 1) * 4),
    });
    // Choosing links anew ranks all of a node's links and one more.
    this.ensureBeam(Math.max(BEAM_CAPACITY_MIN, links + 1));
  }

  private writeModel(model: IndexModel): void {
    const { kernels, slots } = this;
    const d = model.dimensions;
    const floats = paddedDimensions(d);
    const mean = kernels.alloc((floats + 1) * 4);
    const projection = kernels.alloc(kernels.call.projectionBytes(d, slots));
    const projectedMean = kernels.alloc(slots * 4);
    this.setIndex({ mean, projection, projectedMean });
    const scaled = kernels.f32(mean, floats + 1);
    for (let j = 0; j < d; j++) scaled[j] = model.mean[j]! / model.unit;
    scaled[floats] = kernels.call.sumF32(mean, d);
    this.packProjection(model, projection);
    const input = this.getScratch('input');
    kernels.call.projectVector(mean, d, projection, slots, input, projectedMean);
  }

  /** Row j of the model's projection goes to the slot that holds coordinate j. */
  private packProjection(model: IndexModel, projection: number): void {
    const { kernels, slots } = this;
    const d = model.dimensions;
    const mark = kernels.mark();
    const order = kernels.alloc(slots * 4);
    const row = kernels.alloc(d * 4);
    kernels.call.primarySlotOrder(model.primaryBytes, model.primaryBits, order);
    const slotOf = kernels.u32(order, model.primaryDimensions);
    slotOf.forEach((slot, j) => {
      kernels.f32(row, d).set(model.projection.subarray(j * d, (j + 1) * d));
      kernels.call.packProjectionRow(row, d, slot, projection);
    });
    kernels.release(mark);
  }

  /** Makes room for nodes 0 … count − 1. Throws RESOURCE_EXHAUSTED. */
  ensureNodes(count: number): void {
    const nodes = 2 ** this.chunkShift;
    while (this.capacity < count) {
      const chunk = this.kernels.alloc(this.chunkBytes());
      this.kernels.u32(this.chunkTable + (this.capacity / nodes) * 4, 1)[0] = chunk;
      this.capacity += nodes;
    }
    if (this.slots > 0 && this.getScratch('marksLength') < this.capacity) {
      const length = Math.max(this.capacity, 2 * this.getScratch('marksLength'));
      this.setScratch({ marks: this.kernels.alloc(length), marksLength: length, epoch: 0 });
    }
  }

  /** Makes room for a beam of ef nodes and as many re-ranked ones. */
  ensureBeam(ef: number): void {
    if (ef <= this.getScratch('beamCapacity')) return;
    const capacity = Math.max(ef, 2 * this.getScratch('beamCapacity'));
    const beam = this.kernels.alloc((capacity + 2) * 8);
    const ranked = this.kernels.alloc((capacity + 2) * 8);
    this.setScratch({ beam, ranked, beamCapacity: capacity });
  }

  /** Makes room for so many results of one kernel call. */
  ensureResults(count: number): void {
    if (count <= this.resultCapacity) return;
    const capacity = Math.max(count, 2 * this.resultCapacity);
    const ids = this.kernels.alloc(capacity * 4);
    this.resultScores = this.kernels.alloc(capacity * 4);
    this.resultIds = ids;
    this.resultCapacity = capacity;
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
    this.upperBytes += bytes;
  }

  /** Bytes of all upper blocks. */
  get upperBlockTotal(): number {
    return this.upperBytes;
  }

  /** The links of the first `count` nodes as they are now; the function given back restores them. */
  saveGraph(count: number): () => void {
    const links: Uint8Array[] = [];
    this.forRuns(count, (first, size) => links.push(this.part('links', first, size).slice()));
    const blocks = (count === 0 ? [] : this.upperSegments).map(({ start, byteLength }) =>
      this.kernels.u8(start, byteLength).slice(),
    );
    const fields = ['entry', 'maxLevel', 'upperNext', 'upperEnd'] as const;
    const values = Object.fromEntries(fields.map((name) => [name, this.getIndex(name)]));
    const { upperBytes } = this;
    return () => {
      this.forRuns(count, (first, size) => this.part('links', first, size).set(links.shift()!));
      blocks.forEach((block, i) => {
        this.kernels.u8(this.upperSegments[i]!.start, block.length).set(block);
      });
      this.setIndex(values);
      this.upperBytes = upperBytes;
    };
  }

  /** Calls back for the first `count` nodes, a run that lies in one chunk at a time. */
  forRuns(count: number, run: (first: number, size: number) => void): void {
    for (let first = 0; first < count; ) {
      const size = Math.min(2 ** this.chunkShift - this.inChunk(first), count - first);
      run(first, size);
      first += size;
    }
  }

  /** Bytes of what all nodes share: model, working memory, visited marks. */
  get sharedBytes(): number {
    const chunks = (this.capacity / 2 ** this.chunkShift) * this.chunkBytes();
    const upper = this.upperSegments.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return this.kernels.usedBytes - chunks - upper;
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
    return this.kernels.u32(this.chunkTable + (id >>> this.chunkShift) * 4, 1)[0]!;
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

  getScratch(field: Parameters<typeof scratchFields.read>[2]): number {
    return scratchFields.read(this.kernels, this.scratch, field);
  }

  setScratch(values: Parameters<typeof scratchFields.write>[2]): void {
    scratchFields.write(this.kernels, this.scratch, values);
  }
}

function nodeBytes(kernels: Kernels, { model, dimensions, m }: NodeLayout): NodeBytes {
  if (model === undefined) {
    return { primary: 0, links: 0, upperPointer: 0, secondary: dimensions * 4 };
  }
  return {
    primary: model.primaryBytes,
    links: 2 * m * 4,
    upperPointer: 4,
    secondary: kernels.call.secondaryBytes(dimensions, model.secondaryBits),
  };
}
