// From rows of float32 to records: normalise, rotate, centre, project, encode.

import { normaliseF32, scaleF32, subtractF32, dotF32 } from './float';
import {
  hasHalfNorm, Index, METRIC_COSINE, METRIC_EUCLID, primaryOf, Scratch, secondaryOf,
} from './layout';
import { paddedDimensions } from './pack';
import { encodeBuildCode } from './pair';
import { primaryEncode, primarySlots } from './primary';
import { projectVector } from './project';
import { rotate } from './rotate';
import { secondaryEncode } from './secondary';

/** A row of float32 as the codes want it: in the index's unit, rotated and centred. */
// @ts-ignore: decorator
@inline
function centreRow(ix: Index, row: usize): void {
  const d = <i32>ix.dimensions;
  if (ix.metric == METRIC_COSINE) normaliseF32(row, d);
  scaleF32(row, <f32>1 / ix.unit, d);
  if (ix.rotation != 0) rotate(row, ix.rotation, d);
  subtractF32(row, ix.mean, d);
}

/** What is projected to itself: the row, zero behind its dimensions. */
function copyRow(ix: Index, row: usize, z: usize, slots: i32): void {
  const bytes = <usize>ix.dimensions << 2;
  memory.copy(z, row, bytes);
  memory.fill(z + bytes, 0, (<usize>slots << 2) - bytes);
}

/**
 * Encodes `count` rows (stride paddedDimensions(d) floats; overwritten by the centred vectors) into
 * the records of the slots at `ids`; while the index is building, build codes take the place of
 * secondary records. projected: count × slots float32, left holding the traversal queries of the
 * rows (of the uncentred vectors, for inner products and cosine).
 * Returns 0, or 1 + the first row that binary16 constants cannot hold.
 */
export function encodeRows(
  ix: Index, scratch: Scratch, rows: usize, count: u32, ids: usize, projected: usize,
): u32 {
  const d = <i32>ix.dimensions;
  const stride = paddedDimensions(d);
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + (<usize>r * <usize>stride << 2);
    centreRow(ix, row);
    const z = projected + (<usize>r * <usize>slots << 2);
    const id = load<u32>(ids + (<usize>r << 2));
    if (ix.primaryBits == 32) copyRow(ix, row, z, slots);
    else projectVector(row, d, ix.projection, slots, scratch.input, z);
    const halfNorm = hasHalfNorm(ix) ? dotF32(row, row, d) * <f32>0.5 : <f32>0;
    if (ix.primaryBits == 32) {
      memory.copy(primaryOf(ix, id), z, <usize>slots << 2);
      store<f32>(primaryOf(ix, id) + <usize>ix.primaryBytes - 8, halfNorm);
    } else {
      primaryEncode(
        z, ix.primaryBytes, ix.primaryBits, ix.primaryUsed, ix.interval, ix.primaryConstants,
        halfNorm, primaryOf(ix, id),
      );
    }
    if (ix.building) encodeBuildCode(ix, z, row, secondaryOf(ix, id));
    else if (secondaryEncode(ix, row, secondaryOf(ix, id)) == 0) return r + 1;
    if (ix.projection != ix.queryProjection) {
      projectVector(row, d, ix.queryProjection, slots, scratch.input, z);
    }
    if (ix.metric != METRIC_EUCLID) {
      // <x, y> = <z_x + μ, z_y> + const: the query of an uncentred metric carries the mean.
      for (let i = 0; i < slots; i++) {
        const p = z + (<usize>i << 2);
        store<f32>(p, load<f32>(p) + load<f32>(<usize>ix.projectedMean + (<usize>i << 2)));
      }
    }
  }
  return 0;
}

/**
 * Replaces the build codes of the slots at `ids` by secondary records; rows as for encodeRows.
 * Returns 0, or 1 + the first row that binary16 constants cannot hold.
 */
export function encodeSecondary(ix: Index, rows: usize, count: u32, ids: usize): u32 {
  const stride = <usize>paddedDimensions(ix.dimensions) << 2;
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + <usize>r * stride;
    centreRow(ix, row);
    const id = load<u32>(ids + (<usize>r << 2));
    if (secondaryEncode(ix, row, secondaryOf(ix, id)) == 0) return r + 1;
  }
  return 0;
}
