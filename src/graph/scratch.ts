import { alignUp, type Kernels, paddedDimensions } from '../kernels/index.js';
import { scratchFields } from './fields.js';

/** Rows of queries that one call searches at the most. */
export const QUERY_ROWS = 64;
/** Rows of a batch of insertions. */
export const BATCH_ROWS = 256;

const BEAM_CAPACITY_MIN = 512;

export interface ScratchShape {
  dimensions: number;
  /** Positions in a primary record; 0 in an exact store. */
  slots: number;
  /** Outputs of the projection, at least as many. */
  outputs: number;
  m: number;
}

/**
 * The working memory of one thread in the linear memory of an index, as wasm/layout.ts describes
 * it, with buffers for queries and results. It only ever grows; the thread that owns the kernels
 * sees to that before another one uses it.
 */
export class Scratch {
  readonly pointer: number;
  /** Query rows, QUERY_ROWS of them, and the projection of one. */
  readonly rows: number;
  readonly projected: number;
  /** Where searches leave ids (u32) and scores (f32). */
  resultIds = 0;
  resultScores = 0;
  private resultCapacity = 0;
  /** Buffer of the bitmap that the next search may be restricted to, and what it holds. */
  allowed = 0;
  private allowedBytes = 0;
  allowedFrom: { source: object; shard: number; revision: number } | undefined;
  private beamCapacity = 0;
  private marksLength = 0;
  private readonly kernels: Kernels;

  constructor(kernels: Kernels, { dimensions, slots, outputs, m }: ScratchShape) {
    this.kernels = kernels;
    this.pointer = kernels.alloc(scratchFields.byteLength);
    const floats = paddedDimensions(dimensions);
    this.rows = kernels.alloc(QUERY_ROWS * floats * 4);
    this.projected = kernels.alloc(Math.max(8, outputs) * 4);
    // Both hops of a restricted search, or all that a batch links to one node.
    const gathered = Math.max(16 * m, BATCH_ROWS);
    this.set({
      input: kernels.alloc(floats * 2),
      short: kernels.alloc(Math.max(8, outputs) * 2),
      // A byte a slot; float32 where the primary records are.
      codes: kernels.alloc(Math.max(16, 4 * slots)),
      constants: kernels.alloc(8),
      gatherIds: kernels.alloc((gathered + 4) * 4),
      gatherRecords: kernels.alloc((gathered + 4) * 4),
      gatherDistances: kernels.alloc((gathered + 4) * 4),
      gatherCapacity: gathered,
      selected: kernels.alloc((2 * m + 1) * 4),
    });
    // Choosing links anew ranks all of a node's links and all that a batch adds.
    this.ensureBeam(Math.max(BEAM_CAPACITY_MIN, 2 * m + BATCH_ROWS, 4 * m * m));
  }

  /** One visited mark a node. */
  ensureMarks(capacity: number): void {
    if (this.marksLength >= capacity) return;
    let length = Math.max(capacity, 2 * this.marksLength);
    let marks: number;
    try {
      marks = this.kernels.alloc(length);
    } catch {
      // Little memory is left: no more than is needed.
      length = capacity;
      marks = this.kernels.alloc(length);
    }
    this.set({ marks, marksLength: length, epoch: 0 });
    this.marksLength = length;
  }

  /** Makes room for a beam of ef nodes and as many ranked ones. */
  ensureBeam(ef: number): void {
    if (ef <= this.beamCapacity) return;
    const capacity = Math.max(ef, 2 * this.beamCapacity);
    const beam = this.kernels.alloc((capacity + 2) * 8);
    const ranked = this.kernels.alloc((capacity + 2) * 8);
    this.set({ beam, ranked, beamCapacity: capacity });
    this.beamCapacity = capacity;
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

  /** Makes room for a bitmap of so many bytes. */
  ensureAllowed(bytes: number): void {
    if (bytes <= this.allowedBytes) return;
    const byteLength = alignUp(Math.max(bytes, 2 * this.allowedBytes), 64);
    this.allowed = this.kernels.alloc(byteLength);
    this.allowedBytes = byteLength;
    this.allowedFrom = undefined;
  }

  /** The next search is restricted to the slots of this bitmap, or to none. */
  restrict(bitmap: number): void {
    scratchFields.writeOne(this.kernels, this.pointer, 'allow', bitmap);
  }

  get(field: Parameters<typeof scratchFields.read>[2]): number {
    return scratchFields.read(this.kernels, this.pointer, field);
  }

  set(values: Parameters<typeof scratchFields.write>[2]): void {
    scratchFields.write(this.kernels, this.pointer, values);
  }
}
