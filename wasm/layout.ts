// The index in memory. Nodes live in chunks of 2^chunkShift nodes; a table gives the address of
// each chunk, so growing appends chunks and moves nothing. Within a chunk each part is its own
// array, 64-byte aligned: primary records, layer-0 links, upper-block pointers, secondary records.
// A node's number is its slot: slots of deleted nodes are used again.
//
// A secondary record is an LVQ record (see lvq.ts), or float32 where secondaryBits is 32, then two
// words aligned to 4: `norm` (f32) and `sum` (u32, Σ codes); or it is nested (nested.ts); or there are
// none, and secondaryStride is 0.
// TypeScript writes these structures (src/graph/memory.ts): the order of the fields is the contract.

/** A link that is not there, or an index without entry point. */
export const NONE: u32 = 0xffffffff;

export const METRIC_COSINE: u32 = 0;
export const METRIC_DOT: u32 = 1;
export const METRIC_EUCLID: u32 = 2;

// @ts-ignore: decorator
@unmanaged
export class Index {
  chunkTable: u32;
  chunkShift: u32;
  dimensions: u32;
  metric: u32;
  primaryOffset: u32;
  primaryBytes: u32;
  primaryStride: u32;
  primaryBits: u32;
  primaryUsed: u32;
  linksOffset: u32;
  linksStride: u32;
  upperOffset: u32;
  secondaryOffset: u32;
  secondaryStride: u32;
  secondaryBits: u32;
  m: u32;
  m0: u32;
  entry: u32;
  maxLevel: u32;
  upperNext: u32;
  upperEnd: u32;
  /** μ / unit, paddedDimensions(d) floats (zero behind d), then their sum. */
  mean: u32;
  /** How nested secondary records are made up (nested.ts), 0 where they are not nested. */
  nested: u32;
  /** Outputs of the projection: the primary's slots, then nested blocks. */
  outputs: u32;
  /** The maps of vectors and of queries (the same for PCA): int16, packed as project.ts has it. */
  projection: u32;
  queryProjection: u32;
  /** The query map of μ / unit, slots floats. */
  projectedMean: u32;
  /** Sign words of the rotation (rotate.ts), 0 for none. */
  rotation: u32;
  /** Bytes of constants in a primary record. */
  primaryConstants: u32;
  /** The length that is 1 in the codes: the training data's root mean square coordinate. */
  unit: f32;
  /** What products of the projected query with codes are multiplied by. */
  queryScale: f32;
  /** 0: optimised primary intervals; 1: symmetric min–max. */
  interval: u32;
  /** 1: links go to the nearest candidates, without the diversity heuristic (for ablations). */
  nearestOnly: u32;
  /** Slack of the diversity heuristic (Vamana's α, squared: distances are squares). */
  alpha: f32;
  /** 1 while a graph is built: secondary records hold build codes (pair.ts). */
  building: u32;
  /** Bitmap of the slots in use: neither free nor deleted. */
  live: u32;
}

/** The working memory of one thread. */
// @ts-ignore: decorator
@unmanaged
export class Scratch {
  /** float32 query, centred for euclid; paddedDimensions(d) floats, zero behind d. */
  query: u32;
  /** The query as int16 (project.ts), zero behind d up to paddedDimensions(d). */
  input: u32;
  /** Σ of the float32 query, and what makes products with `input` those with the query. */
  querySum: f32;
  inputFactor: f32;
  /** All outputs of the projected query as int16, and what makes products with it those with it. */
  short: u32;
  shortFactor: f32;
  /** Projected query as signed bytes; step and offset (two f32) are in `constants`. */
  codes: u32;
  constants: u32;
  /** One visited byte a node. */
  marks: u32;
  marksLength: u32;
  epoch: u32;
  /** Sorted beam: i64 keys, capacity + 1 of them. */
  beam: u32;
  beamSize: u32;
  beamCapacity: u32;
  /** Bitmap of the slots that may be returned, 0 for all. */
  allow: u32;
  /** The nodes of one expansion: ids, addresses and distances, gatherCapacity of each. */
  gatherIds: u32;
  gatherRecords: u32;
  gatherDistances: u32;
  gatherCapacity: u32;
  /** How many nodes gatherAllowed has put there. */
  gathered: u32;
  /** Second list of i64 keys, same capacity: re-ranked results, candidates of an insertion. */
  ranked: u32;
  /** Distance computations on primary codes since the counter was cleared. */
  distances: u32;
  /** Sum of the touched bytes: keeps the touching loads alive. */
  sink: u32;
  /** Neighbours chosen by the heuristic, ids. */
  selected: u32;
}

/** Bit `slot` of a bitmap. */
// @ts-ignore: decorator
@inline
export function hasBit(bitmap: usize, slot: u32): bool {
  return ((load<u8>(bitmap + (slot >> 3)) >> <u8>(slot & 7)) & 1) != 0;
}

/** Whether there are no secondary records: primary codes serve for everything. */
// @ts-ignore: decorator
@inline
export function onlyPrimary(ix: Index): bool {
  return ix.secondaryStride == 0;
}

/** Euclidean distances need a half norm in each primary record. */
// @ts-ignore: decorator
@inline
export function hasHalfNorm(ix: Index): bool {
  return ix.primaryConstants == 8;
}

// @ts-ignore: decorator
@inline
export function chunkOf(ix: Index, id: u32): usize {
  return <usize>load<u32>(<usize>ix.chunkTable + (<usize>(id >> ix.chunkShift) << 2));
}

// @ts-ignore: decorator
@inline
export function inChunk(ix: Index, id: u32): usize {
  return <usize>(id & ((1 << ix.chunkShift) - 1));
}

// @ts-ignore: decorator
@inline
export function primaryOf(ix: Index, id: u32): usize {
  return chunkOf(ix, id) + ix.primaryOffset + inChunk(ix, id) * <usize>ix.primaryStride;
}

// @ts-ignore: decorator
@inline
export function secondaryOf(ix: Index, id: u32): usize {
  return chunkOf(ix, id) + ix.secondaryOffset + inChunk(ix, id) * <usize>ix.secondaryStride;
}

// @ts-ignore: decorator
@inline
export function upperPointerOf(ix: Index, id: u32): usize {
  return chunkOf(ix, id) + ix.upperOffset + (inChunk(ix, id) << 2);
}

/**
 * The links of a node on a layer: m0 words on layer 0, m on upper layers, ended by NONE if fewer.
 * An upper block is the node's level (one word), three words of padding, then m words a layer.
 */
// @ts-ignore: decorator
@inline
export function linksOf(ix: Index, id: u32, level: u32): usize {
  if (level == 0) return chunkOf(ix, id) + ix.linksOffset + inChunk(ix, id) * <usize>ix.linksStride;
  return <usize>load<u32>(upperPointerOf(ix, id)) + 16 + (<usize>((level - 1) * ix.m) << 2);
}

/** The highest layer that a node is on. */
// @ts-ignore: decorator
@inline
export function levelOf(ix: Index, id: u32): u32 {
  const block = load<u32>(upperPointerOf(ix, id));
  return block == 0 ? 0 : load<u32>(block);
}

/** Bytes of an upper block. */
// @ts-ignore: decorator
@inline
export function upperBlockBytes(ix: Index, level: u32): u32 {
  return (16 + ((level * ix.m) << 2) + 15) & ~15;
}
