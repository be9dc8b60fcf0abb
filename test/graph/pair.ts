import { expect } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import { nearestIds, recallOf } from './oracle.js';
import { Mirror, upTo } from './support.js';

/** An index and what it should hold, changed together. */
export class Pair {
  readonly index: LeanIndex;
  readonly mirror: Mirror;

  private constructor(index: LeanIndex, dimensions: number) {
    this.index = index;
    this.mirror = new Mirror(dimensions);
  }

  static async build(rows: Float32Array, options: LeanIndexOptions): Promise<Pair> {
    const pair = new Pair(await LeanIndex.build(rows, options), options.dimensions);
    pair.mirror.set(upTo(rows.length / options.dimensions), rows);
    return pair;
  }

  async add(rows: Float32Array): Promise<Uint32Array> {
    const ids = await this.index.add(rows);
    this.mirror.set(ids, rows);
    return ids;
  }

  async update(id: number, row: Float32Array): Promise<void> {
    await this.index.update(id, row);
    this.mirror.set([id], row);
  }

  async delete(ids: number[]): Promise<number> {
    this.mirror.delete(ids);
    return this.index.delete(ids);
  }

  /** recall@10 against brute force; fails if anything is returned that is not there. */
  async recall(queries: Float32Array, ef?: number): Promise<number> {
    const { dimensions, distance } = this.index;
    const found = await this.index.searchBatch(queries, 10, ef === undefined ? {} : { ef });
    expect(found.k).toBe(Math.min(10, this.mirror.rows.size));
    expect(found.ids.every((id) => this.mirror.rows.has(id))).toBe(true);
    return recallOf(found.ids, nearestIds(this.mirror.matrix(), queries, dimensions, 10, distance));
  }
}
