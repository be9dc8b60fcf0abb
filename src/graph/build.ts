import { LeandexError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Progress, Steps } from '../base/steps.js';
import { paddedDimensions } from '../kernels/index.js';
import { levelOf } from './levels.js';
import { BATCH_ROWS, type NodeMemory } from './memory.js';
import type { InsertionOrder } from './options.js';
import { requireUnchanged } from './rows.js';

/** Rows that are stored between two yields. */
const ROWS_PER_STEP = 256;

export interface InsertPlan {
  /** Rows, n x dimensions, already checked. */
  vectors: Float32Array;
  /** Row r becomes node firstId + r. */
  firstId: number;
  efConstruction: number;
  seed: number;
  order: InsertionOrder;
}

/**
 * Encodes and links the rows, a batch at a time: gathered in insertion order, projected together,
 * then inserted one by one. All or nothing: any end but the last leaves the graph as it was. A
 * single batch is inserted without a pause, so that only longer work has to remember the graph.
 */
export function* insertSteps(nodes: NodeMemory, plan: InsertPlan): Steps<void> {
  const { firstId } = plan;
  const count = plan.vectors.length / nodes.layout.dimensions;
  nodes.ensureNodes(firstId + count);
  nodes.ensureBeam(plan.efConstruction);
  const restore = count > BATCH_ROWS ? nodes.saveGraph(firstId) : undefined;
  reserveUpper(nodes, plan, count);
  const order = plan.order === 'shuffle' ? new Random(plan.seed).permutation(count) : undefined;
  const progress: Progress = { phase: 'build', done: 0, total: count };
  let complete = false;
  try {
    for (let from = 0; from < count; from += BATCH_ROWS) {
      const size = Math.min(BATCH_ROWS, count - from);
      const ids = Array.from({ length: size }, (_, i) => firstId + (order?.[from + i] ?? from + i));
      encodeBatch(nodes, plan, ids, count);
      for (let r = 0; r < size; r++) {
        insertRow(nodes, plan, ids[r]!, r);
        progress.done = from + r + 1;
        if (restore !== undefined) yield progress;
      }
    }
    complete = true;
  } finally {
    if (!complete) restore?.();
  }
}

/** Room for all upper blocks at once, so that linking cannot run out of memory midway. */
function reserveUpper(nodes: NodeMemory, plan: InsertPlan, count: number): void {
  let bytes = 0;
  for (let id = plan.firstId; id < plan.firstId + count; id++) {
    const level = levelOf(plan.seed, id, nodes.layout.m);
    if (level > 0) bytes += nodes.upperBlockBytes(level);
  }
  nodes.ensureUpper(bytes);
}

function encodeBatch(nodes: NodeMemory, plan: InsertPlan, ids: number[], count: number): void {
  requireUnchanged(plan.vectors, count * nodes.layout.dimensions);
  const { kernels } = nodes;
  const d = nodes.layout.dimensions;
  const stride = paddedDimensions(d);
  const rows = kernels.f32(nodes.rows, ids.length * stride);
  ids.forEach((id, r) => {
    const from = (id - plan.firstId) * d;
    rows.set(plan.vectors.subarray(from, from + d), r * stride);
  });
  kernels.u32(nodes.batchIds, ids.length).set(ids);
  const { call } = kernels;
  const failed = call.encodeRows(
    nodes.index,
    nodes.scratch,
    nodes.rows,
    ids.length,
    nodes.batchIds,
    nodes.projected,
  );
  if (failed !== 0) {
    throw new LeandexError('INTERNAL', `the codes of node ${ids[failed - 1]} overflow binary16`);
  }
}

function insertRow(nodes: NodeMemory, plan: InsertPlan, id: number, row: number): void {
  const { call } = nodes.kernels;
  const level = levelOf(plan.seed, id, nodes.layout.m);
  call.prepareProjected(nodes.index, nodes.scratch, nodes.projected + row * nodes.slots * 4);
  call.insertNode(nodes.index, nodes.scratch, id, level, plan.efConstruction);
}

/** Stores rows as float32 nodes of an exact index; unit length under cosine. */
export function* storeSteps(
  nodes: NodeMemory,
  vectors: Float32Array,
  firstId: number,
): Steps<void> {
  const { kernels } = nodes;
  const { dimensions, distance } = nodes.layout;
  const count = vectors.length / dimensions;
  nodes.ensureNodes(firstId + count);
  for (let row = 0; row < count; row++) {
    requireUnchanged(vectors, count * dimensions);
    const at = nodes.secondaryOf(firstId + row);
    kernels.f32(at, dimensions).set(vectors.subarray(row * dimensions, (row + 1) * dimensions));
    if (distance === 'Cosine') kernels.call.normaliseF32(at, dimensions);
    if (row % ROWS_PER_STEP === 0) yield;
  }
}
