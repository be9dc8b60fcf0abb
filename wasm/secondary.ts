// Secondary records: full-dimensional codes for the re-rank and for building. See layout.ts.

import { dotCodePair, dotFloatCodes, dotShortCodes, sumCodes } from './dot';
import { dotF32, squaredL2F32 } from './float';
import { lvqBias, lvqEncode, lvqScale } from './lvq';
import { codeBytes, paddedDimensions } from './pack';
import { Index, METRIC_DOT, METRIC_EUCLID, Scratch } from './layout';

/** Where the two words behind the codes and constants begin. */
// @ts-ignore: decorator
@inline
export function secondaryTail(n: i32, bits: i32): usize {
  if (bits == 32) return <usize>n << 2;
  return <usize>((codeBytes(n, bits) + 5 + 3) & ~3);
}

/** Bytes from one secondary record to the next. */
export function secondaryBytes(n: i32, bits: i32): u32 {
  return (<u32>secondaryTail(n, bits) + 8 + 15) & ~15;
}

/**
 * Encodes a centred vector z (padded as lvqEncode wants it). Its `norm` word is ‖ẑ‖², or <mean, ẑ>
 * for inner products. Returns 0 where the vector is too far from the trained data for binary16.
 */
export function secondaryEncode(ix: Index, z: usize, record: usize): i32 {
  const n = <i32>ix.dimensions, bits = <i32>ix.secondaryBits;
  const tail = record + secondaryTail(n, bits);
  if (bits == 32) {
    memory.copy(record, z, <usize>n << 2);
    const norm = ix.metric == METRIC_DOT ? dotF32(ix.mean, z, n) : dotF32(z, z, n);
    store<f32>(tail, norm);
    store<u32>(tail, 0, 4);
    return i32(norm < Infinity);
  }
  const ok = lvqEncode(z, n, bits, 0, record);
  const bytes = <usize>codeBytes(n, bits);
  const scale = lvqScale(record, bytes), bias = lvqBias(record, bytes);
  const sum = sumCodes(record, n, bits);
  if (ix.metric == METRIC_DOT) {
    // Padding beyond n has code 0 and mean 0.
    const meanSum = load<f32>(<usize>ix.mean + (<usize>paddedDimensions(n) << 2));
    store<f32>(tail, scale * dotFloatCodes(ix.mean, record, n, bits) + bias * meanSum);
  } else {
    const squares = <f64>dotCodePair(record, record, n, bits);
    const s = <f64>scale, b = <f64>bias;
    store<f32>(tail, <f32>(s * s * squares + 2 * s * b * <f64>sum + <f64>n * b * b));
  }
  store<u32>(tail, sum, 4);
  return ok;
}

/** <q, ẑ> of the query with a record: exact for float32 codes, else by its int16 form. */
// @ts-ignore: decorator
@inline
function queryDot(ix: Index, scratch: Scratch, record: usize): f32 {
  const n = <i32>ix.dimensions, bits = <i32>ix.secondaryBits;
  if (bits == 32) return dotF32(scratch.query, record, n);
  const bytes = <usize>codeBytes(n, bits);
  const raw = <f32>dotShortCodes(scratch.input, record, n, bits) * scratch.inputFactor;
  return lvqScale(record, bytes) * raw + lvqBias(record, bytes) * scratch.querySum;
}

/**
 * Re-rank distance, smaller is nearer: −<q, ẑ>; for euclid ‖ẑ‖² − 2 <q, ẑ>, or ‖q − z‖² of float32
 * codes.
 */
// @ts-ignore: decorator
@inline
export function rerankDistance(ix: Index, scratch: Scratch, record: usize): f32 {
  // Float32 codes are to be exact: no difference of large numbers.
  if (ix.metric == METRIC_EUCLID && ix.secondaryBits == 32) {
    return squaredL2F32(scratch.query, record, ix.dimensions);
  }
  const dot = queryDot(ix, scratch, record);
  if (ix.metric != METRIC_EUCLID) return -dot;
  return load<f32>(record + secondaryTail(ix.dimensions, ix.secondaryBits)) - 2 * dot;
}
