// From rows of float32 to records: normalise, rotate, centre, project, encode.

import { normaliseF32, scaleF32, subtractF32, dotF32 } from './float';
import {
  hasHalfNorm, Index, METRIC_COSINE, METRIC_DOT, METRIC_EUCLID, onlyPrimary, primaryOf, Scratch,
  secondaryOf,
} from './layout';
import { paddedDimensions } from './pack';
import { encodeBuildCode } from './pair';
import { nestedEncode, Nested } from './nested';
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

/** Writes a secondary record, of the row or, where records are nested, of its projection z. */
// @ts-ignore: decorator
@inline
function encodeRecord(ix: Index, row: usize, z: usize, id: u32): i32 {
  if (onlyPrimary(ix)) return 1;
  const record = secondaryOf(ix, id);
  if (ix.nested == 0) return secondaryEncode(ix, row, record);
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  const norm = ix.metric == METRIC_DOT ? dotF32(ix.mean, row, ix.dimensions) : dotF32(z, z, slots);
  const nested = changetype<Nested>(<usize>ix.nested);
  return nestedEncode(nested, z, primaryOf(ix, id), ix.primaryBytes, norm, record);
}

/**
 * Encodes `count` rows (stride paddedDimensions(d) floats; overwritten by the centred vectors) into
 * the records of the slots at `ids`; while the index is building, build codes take the place of
 * secondary records. projected: count × outputs float32, their first slots left holding the traversal
 * queries of the rows (of the uncentred vectors, for inner products and cosine).
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
    const z = projected + (<usize>r * <usize>ix.outputs << 2);
    const id = load<u32>(ids + (<usize>r << 2));
    if (ix.primaryBits == 32) copyRow(ix, row, z, slots);
    else projectVector(row, d, ix.projection, ix.building ? slots : ix.outputs, scratch.input, z);
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
    else if (encodeRecord(ix, row, z, id) == 0) return r + 1;
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
 * Replaces the build codes of the slots at `ids` by secondary records; rows and `projected` as for
 * encodeRows. Returns 0, or 1 + the first row that binary16 constants cannot hold.
 */
export function encodeSecondary(
  ix: Index, scratch: Scratch, rows: usize, count: u32, ids: usize, projected: usize,
): u32 {
  const stride = <usize>paddedDimensions(ix.dimensions) << 2;
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + <usize>r * stride;
    centreRow(ix, row);
    const z = projected + (<usize>r * <usize>ix.outputs << 2);
    if (ix.nested != 0) projectVector(row, ix.dimensions, ix.projection, ix.outputs, scratch.input, z);
    if (encodeRecord(ix, row, z, load<u32>(ids + (<usize>r << 2))) == 0) return r + 1;
  }
  return 0;
}

/**
 * The sum over `count` rows (as for encodeRows) of the share of their centred energy, 0 … 1, that the
 * projection misses; `projected` holds slots floats. Where queries have a map of their own, the energy
 * kept is what the product of both maps makes of ‖z‖², as it makes scores of inner products.
 */
export function missedEnergy(
  ix: Index, scratch: Scratch, rows: usize, count: u32, projected: usize,
): f64 {
  if (ix.primaryBits == 32) return 0;
  const d = <i32>ix.dimensions;
  const stride = <usize>paddedDimensions(d) << 2;
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  let sum: f64 = 0;
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + <usize>r * stride;
    centreRow(ix, row);
    const energy = <f64>dotF32(row, row, d);
    if (energy == 0) continue;
    projectVector(row, d, ix.projection, slots, scratch.input, projected);
    let other = projected;
    if (ix.projection != ix.queryProjection) {
      other = scratch.codes;
      projectVector(row, d, ix.queryProjection, slots, scratch.input, other);
    }
    const kept = <f64>(dotF32(projected, other, slots) * ix.queryScale);
    sum += min<f64>(1, max<f64>(0, 1 - kept / energy));
  }
  return sum;
}
