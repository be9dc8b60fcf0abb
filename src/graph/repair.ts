import type { Progress, Steps } from '../base/steps.js';
import type { Crew } from '../threads/crew.js';
import { NONE, type NodeBytes, type NodeMemory } from './memory.js';
import { phase, withWorkforce } from './phase.js';
import { Shard } from './shard.js';
import type { IndexState } from './state.js';

/** A graph is repaired once so large a share of its nodes are deleted. */
const DEAD_SHARE_MAX = 0.1;
const DEAD_MIN = 64;
/** Nodes that one thread repairs between two turns of the event loop. */
const NODES_AT_ONCE = 256;

/** Which shards to repair: where much is deleted, where it would mislead insertions, or all. */
export type RepairScope = 'many deleted' | 'before insertion' | 'all';

function isDue({ dead, live }: Shard, scope: RepairScope, { options }: IndexState): boolean {
  if (dead.size === 0) return false;
  if (scope === 'all') return true;
  // Where hardly any vector lives, new ones would find but dead ones to link to.
  if (dead.size >= Math.max(Math.min(DEAD_MIN, live), DEAD_SHARE_MAX * live)) return true;
  // Nor may a beam of an insertion be full of them, where a whole cluster has been deleted.
  return scope === 'before insertion' && dead.size >= options.efConstruction / 2;
}

export function isRepairDue(state: IndexState, scope: RepairScope): boolean {
  return state.shards.some((shard) => isDue(shard, scope, state));
}

/** Repairs the graph around what is deleted and frees its slots. */
export function* repairSteps(state: IndexState, crew: Crew, scope: RepairScope): Steps<void> {
  for (const shard of state.shards) {
    if (isDue(shard, scope, state)) yield* repairShard(shard, crew);
  }
}

function* repairShard(shard: Shard, crew: Crew): Steps<void> {
  const { nodes } = shard;
  const { index, used } = nodes;
  // What is deleted from now on is left for the next time.
  const dead = [...shard.dead];
  const progress: Progress = { phase: 'repair', done: 0, total: used };
  yield* withWorkforce(nodes, crew, function* (workforce) {
    yield* phase(
      nodes,
      workforce,
      used,
      NODES_AT_ONCE,
      (scratch, from, to) => {
        progress.done = to;
        return { kernel: 'repairNodes', args: [index, scratch.pointer, from, to] };
      },
      progress,
    );
  });
  nodes.kernels.call.chooseEntry(index, used);
  shard.reclaim(dead);
}

/** Moves the vectors of all shards to memories of their own size; the graph has been repaired. */
export function* packSteps(state: IndexState): Steps<void> {
  const packed: { shard: Shard; from: Uint32Array }[] = [];
  for (const { nodes, live, free } of state.shards) {
    const shard = new Shard(nodes.layout, live, state.shared);
    const unused = new Set(free);
    const slots = Uint32Array.from({ length: nodes.used }, (_, slot) => slot);
    const from = slots.filter((slot) => !unused.has(slot));
    yield* copyNodes(nodes, shard.nodes, from);
    packed.push({ shard, from });
  }
  for (const [at, { shard, from }] of packed.entries()) {
    shard.fill(Uint32Array.from(from.keys()));
    for (const [slot, before] of from.entries()) {
      const id = state.ids.idAt(at, before);
      // Deleted since the repair: still linked to, so copied too.
      if (id < 0) shard.remove(slot);
      else if (slot !== before) state.ids.move(id, at, slot);
    }
  }
  state.shards = packed.map(({ shard }) => shard);
}

/** Copies nodes to slots 0, 1, … of an empty memory, with their links. */
function* copyNodes(from: NodeMemory, to: NodeMemory, slots: Uint32Array): Steps<void> {
  const renumbered = new Uint32Array(from.used).fill(NONE);
  slots.forEach((slot, i) => {
    renumbered[slot] = i;
  });
  const isGraph = from.layout.model !== undefined;
  const parts: (keyof NodeBytes)[] = isGraph ? ['node', 'secondary'] : ['secondary'];
  to.ensureNodes(slots.length);
  for (const [i, slot] of slots.entries()) {
    for (const part of parts) to.part(part, i, 1).set(from.part(part, slot, 1));
    if (isGraph) {
      renumber(to.linksOf(i), renumbered);
      copyUpper(from, to, slot, i, renumbered);
    }
    to.setLive(i, true);
    if (i % NODES_AT_ONCE === 0) yield;
  }
  if (isGraph && slots.length > 0) {
    const entry = from.getIndex('entry');
    to.setIndex({
      entry: entry === NONE ? NONE : renumbered[entry]!,
      maxLevel: from.getIndex('maxLevel'),
    });
  }
}

function copyUpper(
  from: NodeMemory,
  to: NodeMemory,
  slot: number,
  target: number,
  renumbered: Uint32Array,
): void {
  const level = from.levelOf(slot) ?? 0;
  if (level === 0) return;
  const { m } = from.layout;
  const words = from.kernels.u32(from.upperBlockOf(slot) + 16, level * m).slice();
  for (let at = 0; at < words.length; at += m) renumber(words.subarray(at, at + m), renumbered);
  to.addUpperBlock(target, level, words);
}

/** One list of links, without those to slots that were not copied: deleted nodes may have such. */
function renumber(links: Uint32Array, renumbered: Uint32Array): void {
  let count = 0;
  for (const slot of links) {
    const other = slot === NONE ? NONE : renumbered[slot]!;
    if (other !== NONE) links[count++] = other;
  }
  links.fill(NONE, count);
}
