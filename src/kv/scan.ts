import type { Steps } from '../base/steps.js';
import { Fields } from '../graph/fields.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { PANEL } from '../linalg/panel-products.js';
import { stageStream, stageVectorsSteps } from './codec.js';
import type { Rotation } from './rope.js';
import { type KvStream, TILE } from './stream.js';

/** The fields of `KvScan` in wasm/attend.ts, in its order. */
export const scanFields = new Fields([
  'components',
  'widths',
  'steps',
  'panels',
  'tileBytes',
  'matrix',
  'width',
  'factors',
  'offsets',
  'block',
  'kvHeads',
  'headDim',
  'pairs',
  'partner',
  'next',
  'angles',
  'turns',
  'shifts',
  'table',
  'queries',
  'rows',
]);

/** The fields of `KvSums` in wasm/weigh.ts, in its order. */
export const sumsFields = new Fields([
  'components',
  'widths',
  'tileBytes',
  'codes',
  'weights',
  'factors',
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

/** Stages what sums of a layer's values need, for `rows` rows of weights, `tiles` tiles at a time. */
export function stageSums(
  kernels: Kernels,
  { scan }: StagedLayer,
  rows: number,
  tiles: number,
): number {
  const [components, widths, tileBytes] = (['components', 'widths', 'tileBytes'] as const).map(
    (name) => scanFields.read(kernels, scan, name),
  ) as [number, number, number];
  const sums = kernels.alloc(sumsFields.byteLength);
  sumsFields.write(kernels, sums, {
    components,
    widths,
    tileBytes,
    codes: kernels.alloc(tiles * components * TILE * 2),
    weights: kernels.alloc(tiles * rows * TILE * 2),
    factors: kernels.alloc(rows * 4),
  });
  return sums;
}

/**
 * Stages rows that the codes are multiplied with: `count` of the layer's components each, `stride` numbers
 * apart, and what is added to each product.
 */
function stageRows(
  kernels: Kernels,
  scan: number,
  rows: number,
  stride: number,
  added: Float32Array,
): void {
  const n = scanFields.read(kernels, scan, 'components');
  const count = added.length;
  const staged = {
    matrix: kernels.alloc(count * (n + (n % 2)) * 2),
    width: count,
    factors: kernels.alloc(count * 4),
    offsets: kernels.copyF32(added),
  };
  scanFields.write(kernels, scan, staged);
  const [widths, steps] = (['widths', 'steps'] as const).map((name) =>
    scanFields.read(kernels, scan, name),
  ) as [number, number];
  const { matrix, factors, offsets } = staged;
  kernels.call.kvQuantiseRows(rows, stride, count, n, widths, steps, matrix, factors, offsets);
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
  { frequencies, partner, next }: Rotation,
  queries: Float32Array,
): void {
  const pairs = frequencies.length;
  const width = kvHeads * headDim;
  stageRows(kernels, scan, matrix, stride, mean);
  const staged = {
    block: kernels.alloc(width * TILE * 4),
    kvHeads,
    headDim,
    pairs,
    partner,
    next,
    angles: kernels.alloc(pairs * 16),
    turns: kernels.alloc(pairs * 16),
    shifts: kernels.alloc(pairs * PANEL * 8),
    table: kernels.alloc(pairs * PANEL * 8),
    queries: kernels.copyF32(queries),
    rows: queries.length / width,
  };
  scanFields.write(kernels, scan, staged);
  const turns = kernels.f64(staged.turns, pairs * 2);
  const shifts = kernels.f32(staged.shifts, pairs * PANEL * 2);
  frequencies.forEach((frequency, pair) => {
    turns[pair * 2] = Math.cos(PANEL * frequency);
    turns[pair * 2 + 1] = Math.sin(PANEL * frequency);
    for (let t = 0; t < PANEL; t++) {
      shifts[pair * 2 * PANEL + t] = Math.cos(t * frequency);
      shifts[(pair * 2 + 1) * PANEL + t] = Math.sin(t * frequency);
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
  const perHead = rows / kvHeads;
  const stride = alignUp(n, PANEL);
  const projected = kernels.alloc(rows * stride * 4);
  const packed = kernels.alloc(headDim * stride * 4);
  const staged = kernels.copyF32(queries);
  for (let head = 0; head < kvHeads; head++) {
    const numbers = matrix + head * headDim * basis.rank * 4;
    const from = staged + head * perHead * headDim * 4;
    const to = projected + head * perHead * stride * 4;
    kernels.call.packPanels(numbers, headDim, n, basis.rank, packed);
    const panels = stride / PANEL;
    kernels.call.multiplyPanels(from, headDim, perHead, headDim, packed, panels, to, stride);
  }
  const bias = Float32Array.from({ length: rows }, (_, row) => {
    const first = Math.floor(row / perHead) * headDim;
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += queries[row * headDim + i]! * mean[first + i]!;
    return sum;
  });
  stageRows(kernels, scan, projected, stride, bias);
  scanFields.writeOne(kernels, scan, 'block', 0);
}
