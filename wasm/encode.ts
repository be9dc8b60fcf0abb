// From rows of float32 to records: normalise, centre, project, encode.

import { normaliseF32, scaleF32, subtractF32, dotF32 } from './float';
import { Index, METRIC_COSINE, METRIC_EUCLID, primaryOf, Scratch, secondaryOf } from './layout';
import { paddedDimensions } from './pack';
import { primaryEncode, primarySlots } from './primary';
import { projectVector } from './project';
import { secondaryEncode } from './secondary';

/**
 * Encodes `count` rows (stride paddedDimensions(d) floats; overwritten by the centred vectors) into
 * the records of the nodes whose ids are at `ids`. projected: count × slots float32, left holding
 * the traversal queries of the rows (of the uncentred vectors, for inner products and cosine).
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
    if (ix.metric == METRIC_COSINE) normaliseF32(row, d);
    scaleF32(row, <f32>1 / ix.unit, d);
    subtractF32(row, ix.mean, d);
    const z = projected + (<usize>r * <usize>slots << 2);
    projectVector(row, d, ix.projection, slots, scratch.input, z);
    const id = load<u32>(ids + (<usize>r << 2));
    const halfNorm = ix.metric == METRIC_EUCLID ? dotF32(row, row, d) * <f32>0.5 : <f32>0;
    primaryEncode(
      z, ix.primaryBytes, ix.primaryBits, ix.primaryUsed, ix.interval, halfNorm, primaryOf(ix, id),
    );
    if (secondaryEncode(ix, row, secondaryOf(ix, id)) == 0) return r + 1;
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
