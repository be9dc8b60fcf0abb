import { LeandexError } from '../base/errors.js';
import type { Progress, Steps } from '../base/steps.js';
import { paddedDimensions } from '../kernels/index.js';
import type { Crew, Job } from '../threads/crew.js';
import { levelOf } from './levels.js';
import type { NodeMemory } from './memory.js';
import { phase, type Workforce, withWorkforce } from './phase.js';
import { requireUnchanged } from './rows.js';
import { BATCH_ROWS, type Scratch } from './scratch.js';

/** Rows that one thread encodes, nodes that it links, between two turns of the event loop. */
const ROWS_AT_ONCE = 32;
const NODES_AT_ONCE = 8;
const PAIRS_AT_ONCE = 128;
/** Rows that are stored between two yields. */
const ROWS_PER_STEP = 256;

export interface InsertPlan {
  /** Rows, already checked: row `first + i` goes to slots[i]. */
  vectors: Float32Array;
  first: number;
  slots: Uint32Array;
  efConstruction: number;
  seed: number;
  /** In which order, places in `slots`; as they are by default. */
  order: Uint32Array | undefined;
}

/**
 * Encodes and links the rows, a batch at a time (wasm/insert.ts). The result does not depend on the
 * crew. After any end but the last some of the rows are linked: the caller deletes them. All slots
 * have their levels then, as those of nodes that lived, with which they are used again.
 */
export function* insertSteps(nodes: NodeMemory, plan: InsertPlan, crew: Crew): Steps<void> {
  const { slots } = plan;
  const count = slots.length;
  if (count === 0) return;
  nodes.ensureNodes(slots.reduce((most, slot) => Math.max(most, slot), 0) + 1);
  reserveUpper(nodes, plan);
  const progress: Progress = { phase: 'build', done: 0, total: count };
  const whole = nodes.hasRoomForBuildCodes && nodes.isUnlinked;
  nodes.setIndex({ building: Number(whole) });
  let cleared = 0;
  try {
    yield* withWorkforce(nodes, crew, function* (workforce) {
      for (const scratch of workforce.scratches) scratch.ensureBeam(plan.efConstruction);
      for (let from = 0; from < count; from += BATCH_ROWS) {
        const places = batchPlaces(plan, from);
        loadRows(nodes, plan, places);
        const layers = clearNodes(nodes, plan, places);
        cleared = from + places.length;
        yield* encodeBatch(nodes, plan, places, workforce);
        yield* linkBatch(nodes, plan, places.length, layers, workforce, progress);
        progress.done = from + places.length;
        yield progress;
      }
      if (whole) yield* encodeSecondaries(nodes, plan, workforce);
    });
  } finally {
    for (let from = cleared; from < count; from += BATCH_ROWS) {
      clearNodes(nodes, plan, batchPlaces(plan, from));
    }
  }
  nodes.setIndex({ building: 0 });
}

/** Room for all upper blocks at once, so that linking cannot run out of memory midway. */
function reserveUpper(nodes: NodeMemory, { slots, seed }: InsertPlan): void {
  let bytes = 0;
  for (const slot of slots) {
    if (nodes.upperBlockOf(slot) !== 0) continue;
    const level = levelOf(seed, slot, nodes.layout.m);
    if (level > 0) bytes += nodes.upperBlockBytes(level);
  }
  nodes.ensureUpper(bytes);
}

function batchPlaces({ slots, order }: InsertPlan, from: number): Uint32Array {
  const size = Math.min(BATCH_ROWS, slots.length - from);
  return Uint32Array.from({ length: size }, (_, i) => order?.[from + i] ?? from + i);
}

/** Copies the rows of the places into the buffers of the batch, with their slots. */
function loadRows(nodes: NodeMemory, plan: InsertPlan, places: Uint32Array): void {
  const { kernels, batch } = nodes;
  const d = nodes.layout.dimensions;
  const stride = paddedDimensions(d);
  const rows = kernels.f32(batch.rows, places.length * stride);
  places.forEach((place, r) => {
    const from = (plan.first + place) * d;
    requireUnchanged(plan.vectors, from + d);
    rows.set(plan.vectors.subarray(from, from + d), r * stride);
  });
  kernels.u32(batch.slots, places.length).set(places.map((place) => plan.slots[place]!));
}

/** Gives the slots of a batch empty links on their levels; returns how many layers these are. */
function clearNodes(nodes: NodeMemory, plan: InsertPlan, places: Uint32Array): number {
  let layers = 1;
  for (const place of places) {
    const slot = plan.slots[place]!;
    const level = nodes.levelOf(slot) ?? levelOf(plan.seed, slot, nodes.layout.m);
    nodes.kernels.call.clearNode(nodes.index, slot, level);
    layers = Math.max(layers, level + 1);
  }
  return layers;
}

/** Writes the records of the batch that is loaded. */
function* encodeBatch(
  nodes: NodeMemory,
  plan: InsertPlan,
  places: Uint32Array,
  workforce: Workforce,
): Steps<void> {
  const { batch } = nodes;
  const stride = paddedDimensions(nodes.layout.dimensions) * 4;
  const failures = yield* phase(
    nodes,
    workforce,
    places.length,
    ROWS_AT_ONCE,
    (scratch, from, to) => ({
      kernel: 'encodeRows',
      args: [
        nodes.index,
        scratch.pointer,
        batch.rows + from * stride,
        to - from,
        batch.slots + from * 4,
        batch.projected + from * nodes.outputs * 4,
      ],
    }),
  );
  requireEncoded(failures);
  for (const place of places) nodes.setLive(plan.slots[place]!, true);
}

function requireEncoded(failures: readonly number[]): void {
  if (failures.some((row) => row !== 0)) {
    throw new LeandexError('INTERNAL', 'the codes of a vector overflow binary16');
  }
}

function* linkBatch(
  nodes: NodeMemory,
  { efConstruction }: InsertPlan,
  size: number,
  layers: number,
  workforce: Workforce,
  progress: Progress,
): Steps<void> {
  const { kernels, batch, index } = nodes;
  const linkNodes = (scratch: Scratch, from: number, to: number): Job => ({
    kernel: 'linkNodes',
    args: [
      index,
      scratch.pointer,
      batch.slots,
      size,
      from,
      to,
      batch.projected,
      nodes.outputs * 4,
      efConstruction,
    ],
  });
  yield* phase(nodes, workforce, size, NODES_AT_ONCE, linkNodes, progress);
  for (let layer = 0; layer < layers; layer++) {
    const count = kernels.call.reverseLinks(index, batch.slots, size, layer, batch.pairs);
    // A signed sort of unsigned keys orders differently, but groups the targets as well.
    kernels.i64(batch.pairs, count).sort();
    yield* phase(nodes, workforce, count, PAIRS_AT_ONCE, (scratch, from, to) => ({
      kernel: 'connectBack',
      args: [index, scratch.pointer, batch.pairs, count, from, to, layer],
    }));
  }
  kernels.call.raiseEntry(index, batch.slots, size);
}

/** Replaces the build codes by secondary records. */
function* encodeSecondaries(
  nodes: NodeMemory,
  plan: InsertPlan,
  workforce: Workforce,
): Steps<void> {
  const { batch, index } = nodes;
  const inOrder = { ...plan, order: undefined };
  const stride = paddedDimensions(nodes.layout.dimensions) * 4;
  for (let from = 0; from < plan.slots.length; from += BATCH_ROWS) {
    const places = batchPlaces(inOrder, from);
    loadRows(nodes, plan, places);
    const failures = yield* phase(
      nodes,
      workforce,
      places.length,
      ROWS_AT_ONCE,
      (scratch, first, to) => ({
        kernel: 'encodeSecondary',
        args: [
          index,
          scratch.pointer,
          batch.rows + first * stride,
          to - first,
          batch.slots + first * 4,
          batch.projected + first * nodes.outputs * 4,
        ],
      }),
    );
    requireEncoded(failures);
  }
}

/** Stores rows as float32 nodes of an exact index; unit length under cosine. */
export function* storeSteps(
  nodes: NodeMemory,
  vectors: Float32Array,
  first: number,
  slots: Uint32Array,
): Steps<void> {
  const { kernels } = nodes;
  const { dimensions, distance } = nodes.layout;
  nodes.ensureNodes(slots.reduce((most, slot) => Math.max(most, slot), -1) + 1);
  for (const [i, slot] of slots.entries()) {
    const from = (first + i) * dimensions;
    requireUnchanged(vectors, from + dimensions);
    const at = nodes.secondaryOf(slot);
    kernels.f32(at, dimensions).set(vectors.subarray(from, from + dimensions));
    if (distance === 'Cosine') kernels.call.normaliseF32(at, dimensions);
    nodes.setLive(slot, true);
    if (i % ROWS_PER_STEP === 0) yield;
  }
}
