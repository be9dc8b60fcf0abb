import { Random } from '../base/random.js';
import { alignUp, type Kernels, paddedDimensions } from '../kernels/index.js';
import { primaryConstants } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import type { NodeMemory } from './memory.js';

/** Fewer dimensions have nothing to spread. */
const ROTATED_DIMENSIONS_MIN = 16;

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
  const projection = packProjection(kernels, model, model.projection, slots, rotation);
  const queryProjection =
    model.queryProjection === undefined
      ? projection
      : packProjection(kernels, model, model.queryProjection, slots, rotation);
  const mark = kernels.mark();
  const input = kernels.alloc(alignUp(d, 8) * 2);
  call.projectVector(mean, d, queryProjection, slots, input, projectedMean);
  kernels.release(mark);
  nodes.setIndex({ rotation, mean, projection, queryProjection, projectedMean });
}

/** Two rounds of random signs, as words 0 or 2^31; 0 where vectors are not rotated. */
function writeRotation(kernels: Kernels, { dimensions, seed, secondaryBits }: IndexModel): number {
  if (dimensions < ROTATED_DIMENSIONS_MIN || secondaryBits === 32) return 0;
  const length = alignUp(dimensions, 4);
  const signs = kernels.alloc(2 * length * 4);
  const random = new Random(seed);
  const words = kernels.u32(signs, 2 * length);
  for (let round = 0; round < 2; round++) {
    for (let j = 0; j < dimensions; j++) {
      words[round * length + j] = random.uint32() & 0x8000_0000;
    }
  }
  return signs;
}

/** Row j of a map goes to the slot that holds coordinate j. */
function packProjection(
  kernels: Kernels,
  model: IndexModel,
  rows: Float32Array,
  slots: number,
  rotation: number,
): number {
  const { call } = kernels;
  const d = model.dimensions;
  const packed = kernels.alloc(call.projectionBytes(d, slots));
  const mark = kernels.mark();
  const order = kernels.alloc(slots * 4);
  const row = kernels.alloc(alignUp(d, 4) * 4);
  const { primaryBytes, primaryBits } = model;
  call.primarySlotOrder(primaryBytes, primaryBits, primaryConstants(model.distance), order);
  const slotOf = kernels.u32(order, model.primaryDimensions);
  slotOf.forEach((slot, j) => {
    kernels.f32(row, d).set(rows.subarray(j * d, (j + 1) * d));
    if (rotation !== 0) call.rotate(row, rotation, d);
    call.packProjectionRow(row, d, slot, packed);
  });
  kernels.release(mark);
  return packed;
}
