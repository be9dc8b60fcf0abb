import type { KernelVariant } from '../kernels/index.js';
import { type NodeLayout, NodeMemory } from './memory.js';

/**
 * One memory full of vectors: which of its slots hold live ones, which are free, and which hold
 * deleted ones that others may still link to.
 */
export class Shard {
  readonly nodes: NodeMemory;
  /** Number of live vectors. */
  live = 0;
  /** Number of slots taken for vectors that are being added. */
  adding = 0;
  /** Slots of deleted vectors that the graph may still link to. */
  readonly dead = new Set<number>();
  /** Slots below nodes.used that hold nothing, unlinked. */
  readonly free: number[] = [];

  constructor(layout: NodeLayout, expected: number, shared: boolean, variant?: KernelVariant) {
    this.nodes = new NodeMemory(layout, expected, shared, variant);
  }

  /** Whether its vectors are linked; an exact store has only float32 vectors. */
  get isGraph(): boolean {
    return this.nodes.layout.model !== undefined;
  }

  /** Number of vectors that a search can find. */
  get searchable(): number {
    return this.nodes.isBuilding ? 0 : this.live;
  }

  /** Slots for new vectors: free ones first, then new ones. */
  takeSlots(count: number): Uint32Array {
    this.adding = count;
    const reused = this.free.splice(0, count);
    const fresh = this.nodes.used - reused.length;
    return Uint32Array.from({ length: count }, (_, i) => reused[i] ?? fresh + i);
  }

  /** The slots now hold live vectors. */
  fill(slots: Uint32Array): void {
    this.adding = 0;
    this.live += slots.length;
    this.noteUsed(slots);
  }

  /** Slots that were taken, and perhaps linked, but not filled. */
  abandon(slots: Uint32Array): void {
    this.adding = 0;
    const had = slots.filter((slot) => slot < this.nodes.capacity);
    this.noteUsed(had);
    for (const slot of had) this.retire(slot);
  }

  /** A live vector is no longer to be found. */
  remove(slot: number): void {
    this.live--;
    this.retire(slot);
  }

  /** Nothing links to these deleted vectors any more. */
  reclaim(slots: Iterable<number>): void {
    for (const slot of slots) {
      this.dead.delete(slot);
      this.free.push(slot);
    }
    this.free.sort((a, b) => a - b);
  }

  private retire(slot: number): void {
    this.nodes.setLive(slot, false);
    if (this.isGraph) this.dead.add(slot);
    else this.free.push(slot);
  }

  private noteUsed(slots: Uint32Array): void {
    for (const slot of slots) this.nodes.used = Math.max(this.nodes.used, slot + 1);
  }
}
