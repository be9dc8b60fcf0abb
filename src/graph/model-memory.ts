import { alignUp, type Kernels, paddedDimensions } from '../kernels/index.js';
import { isRotated, primaryConstants } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { nestedCodeBytes } from '../quant/nested.js';
import { writeSigns } from '../quant/rotation.js';
import type { NodeMemory } from './memory.js';

/**
 * Writes a model into the memory of an index. Vectors are rotated before they are centred and
 * coded (wasm/rotate.ts), so the mean and the rows of the projections are stored rotated too.
 */
export function writeModel(nodes: NodeMemory, model: IndexModel): void {
  const { kernels, slots } = nodes;
  const { call } = kernels;
  const d = model.dimensions;
  const floats = paddedDimensions(d);
  const rotation = writeRotation(kernels, model);
  const mean = kernels.alloc((floats + 1) * 4);
  const projectedMean = kernels.alloc(slots * 4);
  const scaled = kernels.f32(mean, floats + 1);
  for (let j = 0; j < d; j++) scaled[j] = model.mean[j]! / model.unit;
  if (rotation !== 0) call.rotate(mean, rotation, d);
  scaled[floats] = call.sumF32(mean, d);
  if (model.primaryBits === 32) {
    kernels.floats.copyWithin(projectedMean / 4, mean / 4, mean / 4 + slots);
    nodes.setIndex({ rotation, mean, projectedMean });
    return;
  }
  const slotOf = slotOrder(kernels, model, slots);
  const pack = (rows: Float32Array) =>
    packProjection(kernels, model, rows, slotOf, slots, rotation);
  const projection = pack(model.projection);
  const queryProjection =
    model.queryProjection === undefined ? projection : pack(model.queryProjection);
  const mark = kernels.mark();
  const input = kernels.alloc(alignUp(d, 8) * 2);
  call.projectVector(mean, d, queryProjection, slots, input, projectedMean);
  kernels.release(mark);
  const nested = writeNested(kernels, model, slotOf, slots);
  nodes.setIndex({ rotation, mean, projection, queryProjection, projectedMean, nested });
}

/** The structure `Nested` of wasm/nested.ts; 0 where records are not nested. */
function writeNested(
  kernels: Kernels,
  model: IndexModel,
  slotOf: Uint32Array,
  slots: number,
): number {
  if (model.nested === undefined) return 0;
  const { bits } = model.nested;
  const words = kernels.alloc(Math.max(4, bits.length * 4));
  kernels.u32(words, bits.length).set(bits);
  const mask = kernels.alloc(slots);
  for (const slot of slotOf) kernels.u8(mask, slots)[slot] = 255;
  const nested = kernels.alloc(16);
  const codeBytes = nestedCodeBytes(model.primaryBytes, bits);
  kernels.u32(nested, 4).set([bits.length, words, mask, codeBytes]);
  return nested;
}

/** The slots that hold coordinates 0, 1, … */
function slotOrder(kernels: Kernels, model: IndexModel, slots: number): Uint32Array {
  const { primaryBytes, primaryBits, primaryDimensions, distance } = model;
  const mark = kernels.mark();
  const order = kernels.alloc(slots * 4);
  kernels.call.primarySlotOrder(primaryBytes, primaryBits, primaryConstants(distance), order);
  const slotOf = kernels.u32(order, primaryDimensions).slice();
  kernels.release(mark);
  return slotOf;
}

/** The signs of the rotation; 0 where vectors are not rotated. */
function writeRotation(kernels: Kernels, { dimensions, seed, secondaryBits }: IndexModel): number {
  return isRotated(dimensions, secondaryBits) ? writeSigns(kernels, dimensions, seed) : 0;
}

/** Row j of a map goes to the slot that holds coordinate j, rows of nested blocks behind them. */
function packProjection(
  kernels: Kernels,
  model: IndexModel,
  rows: Float32Array,
  slotOf: Uint32Array,
  slots: number,
  rotation: number,
): number {
  const { call } = kernels;
  const d = model.dimensions;
  const nestedRows = model.nested?.projection ?? new Float32Array(0);
  const packed = kernels.alloc(call.projectionBytes(d, slots + nestedRows.length / d));
  const mark = kernels.mark();
  const row = kernels.alloc(alignUp(d, 4) * 4);
  const pack = (source: Float32Array, j: number, slot: number) => {
    kernels.f32(row, d).set(source.subarray(j * d, (j + 1) * d));
    if (rotation !== 0) call.rotate(row, rotation, d);
    call.packProjectionRow(row, d, slot, packed);
  };
  slotOf.forEach((slot, j) => {
    pack(rows, j, slot);
  });
  for (let j = 0; j < nestedRows.length / d; j++) pack(nestedRows, j, slots + j);
  kernels.release(mark);
  return packed;
}
