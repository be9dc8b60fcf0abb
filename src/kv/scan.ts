import type { Steps } from '../base/steps.js';
import { Fields } from '../graph/fields.js';
import type { Kernels } from '../kernels/index.js';
import { PANEL } from '../linalg/panel-products.js';
import { stageStream, stageVectorsSteps } from './codec.js';
import type { Rotation } from './rope.js';
import type { KvStream } from './stream.js';

/** The fields of `KvScan` in wasm/attend.ts, in its order. */
export const scanFields = new Fields([
  'components',
  'widths',
  'steps',
  'panels',
  'tileBytes',
  'matrix',
  'stride',
  'width',
  'mean',
  'block',
  'kvHeads',
  'headDim',
  'pairs',
  'partner',
  'next',
  'angles',
  'turns',
  'offsets',
  'table',
  'queries',
  'rows',
  'bias',
]);

/** A stream's layer, ready for the kernels. */
export interface StagedLayer {
  /** Address of its KvScan. */
  readonly scan: number;
  /** The layer's rows of S⁻¹ U as float32, `rank` numbers each. */
  readonly matrix: number;
  readonly mean: Float32Array;
}

/** What of a layer's numbers belongs to which head. */
export interface Heads {
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Stages what decoding a stream's layer needs; for scores there is more to come. */
export function* stageLayerSteps(
  kernels: Kernels,
  stream: KvStream,
  part: number,
): Steps<StagedLayer> {
  const { basis, widths, tileBytes } = stream;
  const width = basis.dimensions / basis.scale.length;
  const rows = { from: part * width, to: (part + 1) * width };
  const scan = kernels.alloc(scanFields.byteLength);
  const staged = stageStream(kernels, stream);
  scanFields.write(kernels, scan, { ...staged, components: widths.length, tileBytes });
  const matrix = yield* stageVectorsSteps(kernels, basis, rows.from, rows.to);
  kernels.call.scaleF32(matrix, 1 / basis.scale[part]!, width * basis.rank);
  return { scan, matrix, mean: basis.mean.subarray(rows.from, rows.to) };
}

/**
 * Stages queries, `rows` of headDim numbers for each kv head, to be scored with rotated keys, which
 * are reconstructed for it; rows of the matrix are `stride` numbers apart.
 */
export function stageRotated(
  kernels: Kernels,
  stride: number,
  { scan, matrix, mean }: StagedLayer,
  { kvHeads, headDim }: Heads,
  rotation: Rotation,
  queries: Float32Array,
): void {
  const { frequencies, partner, next } = rotation;
  const pairs = frequencies.length;
  const width = kvHeads * headDim;
  scanFields.write(kernels, scan, {
    matrix,
    stride,
    width,
    mean: kernels.copyF32(mean),
    block: kernels.alloc(width * PANEL * 4),
    kvHeads,
    headDim,
    pairs,
    partner,
    next,
    angles: kernels.alloc(pairs * 16),
    turns: kernels.alloc(pairs * 16),
    offsets: kernels.alloc(pairs * PANEL * 8),
    table: kernels.alloc(pairs * PANEL * 8),
    queries: kernels.copyF32(queries),
    rows: queries.length / width,
    bias: 0,
  });
  const turns = kernels.f64(scanFields.read(kernels, scan, 'turns'), pairs * 2);
  const offsets = kernels.f32(scanFields.read(kernels, scan, 'offsets'), pairs * PANEL * 2);
  frequencies.forEach((frequency, pair) => {
    turns[pair * 2] = Math.cos(PANEL * frequency);
    turns[pair * 2 + 1] = Math.sin(PANEL * frequency);
    for (let t = 0; t < PANEL; t++) {
      offsets[pair * 2 * PANEL + t] = Math.cos(t * frequency);
      offsets[(pair * 2 + 1) * PANEL + t] = Math.sin(t * frequency);
    }
  });
}

/** The position of the next tile that is scored. */
export function movePosition(
  kernels: Kernels,
  { scan }: StagedLayer,
  { frequencies }: Rotation,
  position: number,
): void {
  const angles = kernels.f64(scanFields.read(kernels, scan, 'angles'), frequencies.length * 2);
  frequencies.forEach((frequency, pair) => {
    angles[pair * 2] = Math.cos(position * frequency);
    angles[pair * 2 + 1] = Math.sin(position * frequency);
  });
}

/**
 * Stages queries to be scored with keys that are not rotated. That needs no keys: with k = mean + A c
 * it is <q, k> = <q, mean> + <Aᵀ q, c>.
 */
export function stageUnrotated(
  kernels: Kernels,
  { basis, widths }: KvStream,
  { scan, matrix, mean }: StagedLayer,
  { kvHeads, headDim }: Heads,
  queries: Float32Array,
): void {
  const n = widths.length;
  const rows = queries.length / headDim;
  const numbers = kernels.f32(matrix, kvHeads * headDim * basis.rank);
  const projected = new Float32Array(rows * n);
  const bias = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor((row * kvHeads) / rows) * headDim;
    for (let i = 0; i < headDim; i++) {
      const x = queries[row * headDim + i]!;
      bias[row] = bias[row]! + x * mean[first + i]!;
      for (let j = 0; j < n; j++) {
        const at = row * n + j;
        projected[at] = projected[at]! + x * numbers[(first + i) * basis.rank + j]!;
      }
    }
  }
  scanFields.write(kernels, scan, {
    matrix: 0,
    kvHeads: 1,
    headDim: n,
    pairs: 0,
    queries: kernels.copyF32(projected),
    rows,
    bias: kernels.copyF32(bias),
  });
}
