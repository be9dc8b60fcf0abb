import { readContainer } from '../../src/format/container.js';
import type { LeanIndex } from '../../src/graph/lean-index.js';
import { NONE } from '../../src/graph/memory.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import type { IndexState } from '../../src/graph/state.js';

/** Whole numbers from `start` up to `end`, without it. */
export const upTo = (end: number, start = 0): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

/** The inside of an index, for tests that look at one. */
export function stateOf(index: LeanIndex): IndexState {
  return (index as unknown as { state: IndexState }).state;
}

/** The graph of one shard as it is saved. */
export interface SavedGraph {
  used: number;
  entry: number;
  m: number;
  /** The id in each slot, NONE where no live vector is. */
  ids: Uint32Array;
  levelOf(slot: number): number;
  /** The words of a list of links, with what ends it. */
  listOf(slot: number, layer: number): Uint32Array;
}

const words = (section: Uint8Array) => new Uint32Array(section.slice().buffer);

export function savedGraph(index: LeanIndex, shard = 0): SavedGraph {
  const { header, sections } = readContainer(index.toBytes(), 'index');
  const { used, entry } = (header.shards as { used: number; entry: number }[])[shard]!;
  const { m } = header.options as LeanIndexOptions & { m: number };
  const primaryWords = (header.model as { primaryBytes: number }).primaryBytes / 4;
  const nodes = words(sections[`node.${shard}`]!);
  const stride = nodes.length / used;
  const saved = words(sections[`upper.${shard}`]!);
  const upper = new Map<number, Uint32Array>();
  for (let at = 0; at < saved.length; ) {
    const end = at + 2 + saved[at + 1]! * m;
    upper.set(saved[at]!, saved.subarray(at + 2, end));
    at = end;
  }
  return {
    used,
    entry,
    m,
    ids: words(sections[`ids.${shard}`]!),
    levelOf: (slot) => (upper.get(slot)?.length ?? 0) / m,
    listOf(slot, layer) {
      if (layer > 0) return upper.get(slot)!.subarray((layer - 1) * m, layer * m);
      const from = slot * stride + primaryWords;
      return nodes.subarray(from, from + 2 * m);
    },
  };
}

/** The links of a list, up to the end of it. */
export function linksIn(list: Uint32Array): Uint32Array {
  const end = list.indexOf(NONE);
  return end < 0 ? list : list.subarray(0, end);
}

/** What is wrong with the lists of the live nodes of a graph; nothing in a sound one. */
export function faultsOf(graph: SavedGraph): string[] {
  const faults: string[] = [];
  for (let slot = 0; slot < graph.used; slot++) {
    if (graph.ids[slot] === NONE) continue;
    for (let layer = 0; layer <= graph.levelOf(slot); layer++) {
      const list = graph.listOf(slot, layer);
      const links = linksIn(list);
      const name = `slot ${slot}, layer ${layer}`;
      if (list.subarray(links.length).some((word) => word !== NONE)) faults.push(`${name}: gap`);
      if (new Set(links).size !== links.length) faults.push(`${name}: a link twice`);
      if (links.includes(slot)) faults.push(`${name}: a link to itself`);
      if (links.some((other) => other >= graph.used)) faults.push(`${name}: out of range`);
      if (links.some((other) => graph.levelOf(other) < layer)) faults.push(`${name}: too low`);
    }
  }
  return faults;
}

/** The share of the live nodes that no path from the entry point on layer 0 reaches. */
export function unreachableShare(graph: SavedGraph): number {
  const seen = new Uint8Array(graph.used);
  const queue = [graph.entry];
  seen[graph.entry] = 1;
  for (let slot = queue.pop(); slot !== undefined; slot = queue.pop()) {
    for (const other of linksIn(graph.listOf(slot, 0))) {
      if (seen[other] === 1) continue;
      seen[other] = 1;
      queue.push(other);
    }
  }
  let live = 0;
  let lost = 0;
  for (let slot = 0; slot < graph.used; slot++) {
    if (graph.ids[slot] === NONE) continue;
    live++;
    if (seen[slot] === 0) lost++;
  }
  return lost / live;
}

/** Rows with their ids, to compare an index with: what it should hold, kept by the test. */
export class Mirror {
  readonly rows = new Map<number, Float32Array>();
  private readonly dimensions: number;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  set(ids: Iterable<number>, rows: Float32Array): void {
    let r = 0;
    for (const id of ids) {
      this.rows.set(id, rows.slice(r * this.dimensions, ++r * this.dimensions));
    }
  }

  delete(ids: Iterable<number>): void {
    for (const id of ids) this.rows.delete(id);
  }

  /** Ids and rows as one matrix, in the order of ids. */
  matrix(keep: (id: number) => boolean = () => true): { ids: number[]; rows: Float32Array } {
    const ids = [...this.rows.keys()].filter(keep).sort((a, b) => a - b);
    const rows = new Float32Array(ids.length * this.dimensions);
    ids.forEach((id, r) => {
      rows.set(this.rows.get(id)!, r * this.dimensions);
    });
    return { ids, rows };
  }
}
