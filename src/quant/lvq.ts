import {
  checkFinite,
  checkInteger,
  checkOneOf,
  checkOptions,
  checkRows,
  checkVector,
  tooLarge,
} from '../base/check.js';
import { outOfRange, wrongDimension } from '../base/errors.js';
import { asBytes, floatSection, readContainer, writeContainer } from '../format/container.js';
import { corrupt } from '../format/layout.js';
import { alignUp, Kernels, paddedDimensions } from '../kernels/index.js';

import { kMeans, nearestMean, type PlacedMeans, placeMeans } from './k-means.js';
import { chooseUnit, columnMoments } from './lvq-training.js';
import { sampleRows } from './sample.js';

export type LvqBits = 2 | 3 | 4 | 8;

export interface LvqOptions {
  dimensions: number;
  /** Bits a number of the first level. Default 8. */
  bits?: LvqBits;
  /** Bits a number of the second level, which codes the residual of the first; default none. */
  residualBits?: LvqBits;
  /**
   * Means that vectors may be centred by, 1 … 256 (M-LVQ, arXiv 2402.02044): each by the nearest of
   * so many k-means centroids. Pays for clustered vectors. Default 1.
   */
  means?: number;
  /** Seed of the sample and of k-means, where there are several means. Default 1. */
  seed?: number;
  /** A record's bytes are rounded up to a multiple of this. Default 32, half a cache line. */
  padding?: number;
}

/** Codes of n vectors: `records` is n x recordBytes, `residuals` n x residualBytes or empty. */
export interface LvqCodes {
  count: number;
  records: Uint8Array;
  residuals: Uint8Array;
}

type ResolvedLvq = Required<Omit<LvqOptions, 'residualBits'>> & {
  residualBits: LvqBits | undefined;
};

const KIND = 'lvq';
const BITS: readonly LvqBits[] = [2, 3, 4, 8];
const LVQ_OPTIONS = ['dimensions', 'bits', 'residualBits', 'means', 'seed', 'padding'];

/**
 * LVQ, locally-adaptive vector quantization (arXiv 2304.04759): vectors are centred by the training
 * mean, or by the nearest of several (M-LVQ, arXiv 2402.02044), and each is coded on its own min–max grid of 2^bits steps. A record is the packed codes
 * (wasm/pack.ts), scale and bias as binary16 and one byte that selects the mean.
 * Error: |x_j − x̂_j| ≤ scale / 2 with one level, scale / (2 (2^residualBits − 1)) with two.
 */
export class Lvq {
  readonly dimensions: number;
  readonly bits: LvqBits;
  readonly residualBits: LvqBits | undefined;
  readonly padding: number;
  readonly recordBytes: number;
  readonly residualBytes: number;
  /** The training mean or means, one after the other: each `dimensions` numbers. */
  readonly means: Float32Array;
  /** Codes hold (x − mean) / unit: a power of two that keeps constants inside binary16's range. */
  readonly unit: number;
  private readonly kernels = new Kernels();
  private readonly row: number;
  private readonly scratch: number;
  private readonly record: number;
  private readonly placed: PlacedMeans;
  /** Byte of a record that holds the number of its mean. */
  private readonly selectorAt: number;

  private constructor(options: ResolvedLvq, means: Float32Array, unit: number) {
    this.dimensions = options.dimensions;
    this.bits = options.bits;
    this.residualBits = options.residualBits;
    this.padding = options.padding;
    this.means = means;
    this.unit = unit;
    const { call } = this.kernels;
    this.recordBytes = alignUp(call.lvqRecordBytes(this.dimensions, this.bits), options.padding);
    this.selectorAt = call.codeBytes(this.dimensions, this.bits) + 4;
    this.residualBytes =
      this.residualBits === undefined ? 0 : call.codeBytes(this.dimensions, this.residualBits);
    const floats = paddedDimensions(this.dimensions);
    this.row = this.kernels.alloc(floats * 4);
    this.scratch = this.kernels.alloc(floats * 5);
    this.record = this.kernels.alloc(this.recordBytes + alignUp(this.residualBytes, 64) + 64);
    this.placed = placeMeans(this.kernels, means, this.dimensions);
  }

  /**
   * Learns the mean of the vectors (n x dimensions, row-major; none at all gives mean 0), or several
   * means, for which there must be as many vectors.
   * @throws TypeError, RangeError for wrong options, lengths, NaN or infinity.
   */
  static train(vectors: Float32Array, options: LvqOptions): Lvq {
    const resolved = resolveLvq(options);
    const { dimensions, seed } = resolved;
    const count = checkRows('vectors', vectors, dimensions);
    checkFinite('vectors', vectors, dimensions);
    const { mean, meanSquare, variance } = columnMoments(vectors, dimensions);
    if (resolved.means === 1) return new Lvq(resolved, mean, chooseUnit(meanSquare, variance));
    if (resolved.means > count)
      throw outOfRange('means', `at most ${count}, the vectors`, resolved.means);
    const rows = sampleRows(vectors, dimensions, seed);
    const { means, distortion } = kMeans(rows, dimensions, resolved.means, seed);
    return new Lvq(resolved, means, chooseUnit(meanSquare, distortion / dimensions));
  }

  /**
   * The trained codec as bytes: header `dimensions`, `bits`, `padding`, `unit`, `means`, with two
   * levels `residualBits`; section `means` (float32, means x dimensions).
   */
  toBytes(): Uint8Array {
    const { dimensions, bits, padding, unit } = this;
    const levels = this.residualBits === undefined ? {} : { residualBits: this.residualBits };
    const header = { dimensions, bits, padding, unit, means: this.placed.count, ...levels };
    return writeContainer({ kind: KIND, header, sections: { means: asBytes(this.means) } });
  }

  /** @throws TypeError, LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`. */
  static fromBytes(bytes: Uint8Array): Lvq {
    const { header, sections } = readContainer(bytes, KIND);
    const { unit, ...options } = header as unknown as LvqOptions & { unit: number };
    if (!(unit > 0 && unit < Infinity)) throw corrupt(KIND, 'its unit is not valid');
    let resolved: ResolvedLvq;
    try {
      resolved = resolveLvq(options);
    } catch (cause) {
      throw corrupt(KIND, 'its options are not valid', {}, cause);
    }
    const length = resolved.means * resolved.dimensions;
    return new Lvq(resolved, floatSection(sections, 'means', length, KIND), unit);
  }

  /** @throws TypeError, RangeError for a wrong type, length, NaN, or numbers far beyond training. */
  encode(vectors: Float32Array): LvqCodes {
    const { dimensions, recordBytes, residualBytes } = this;
    const count = checkRows('vectors', vectors, dimensions);
    checkFinite('vectors', vectors, dimensions);
    const records = new Uint8Array(count * recordBytes);
    const residuals = new Uint8Array(count * residualBytes);
    const residual = this.record + alignUp(recordBytes, 16);
    const { call } = this.kernels;
    for (let r = 0; r < count; r++) {
      const selector = this.loadCentred(vectors.subarray(r * dimensions, (r + 1) * dimensions));
      if (call.lvqEncode(this.row, dimensions, this.bits, selector, this.record) === 0) {
        throw tooLarge('vectors', r);
      }
      records.set(
        this.kernels.u8(this.record, call.lvqRecordBytes(dimensions, this.bits)),
        r * recordBytes,
      );
      if (this.residualBits === undefined) continue;
      call.lvqEncodeResidual(
        this.row,
        dimensions,
        this.bits,
        this.record,
        this.residualBits,
        residual,
        this.scratch,
      );
      residuals.set(this.kernels.u8(residual, residualBytes), r * residualBytes);
    }
    return { count, records, residuals };
  }

  /** The vectors that the codes stand for, n x dimensions. */
  decode(codes: LvqCodes): Float32Array {
    this.checkCodes(codes);
    const { dimensions } = this;
    const out = new Float32Array(codes.count * dimensions);
    for (let r = 0; r < codes.count; r++) {
      this.decodeRow(codes, r);
      const row = this.kernels.f32(this.row, dimensions);
      const mean = this.meanOf(codes, r);
      for (let j = 0; j < dimensions; j++) {
        out[r * dimensions + j] = row[j]! * this.unit + mean[j]!;
      }
    }
    return out;
  }

  /**
   * Inner products of a float32 query with coded vectors, by the fast formula (section 3.2):
   * scale <q, c> + bias Σq + <q, mean>, for two levels with the residual's own term.
   */
  dot(query: Float32Array, codes: LvqCodes): Float32Array {
    this.checkQuery(query, codes);
    const q = this.loadQuery(query);
    const querySum = sum(query);
    const withMeans = Array.from({ length: this.placed.count }, (_, m) => {
      let product = 0;
      for (let j = 0; j < this.dimensions; j++) {
        product += query[j]! * this.means[m * this.dimensions + j]!;
      }
      return product;
    });
    const out = new Float32Array(codes.count);
    for (let r = 0; r < codes.count; r++) {
      const withMean = withMeans[this.selectorOf(codes, r)]!;
      out[r] = this.unit * this.centredDot(q, querySum, codes, r) + withMean;
    }
    return out;
  }

  /**
   * Squared euclidean distances of a float32 query to coded vectors, by the fast formula:
   * ‖q'‖² − 2 <q', ẑ> + ‖ẑ‖² with q' = q − mean.
   */
  squaredDistances(query: Float32Array, codes: LvqCodes): Float32Array {
    this.checkQuery(query, codes);
    const { dimensions, placed, unit } = this;
    const out = new Float32Array(codes.count);
    // One shifted query for each mean: the records of a mean are taken together.
    for (let m = 0; m < placed.count; m++) {
      const mean = this.means.subarray(m * dimensions, (m + 1) * dimensions);
      const centred = query.map((x, j) => (x - mean[j]!) / unit);
      const q = this.loadQuery(centred);
      const querySum = sum(centred);
      let norm = 0;
      for (const x of centred) norm += x * x;
      for (let r = 0; r < codes.count; r++) {
        if (this.selectorOf(codes, r) !== m) continue;
        const dot = this.centredDot(q, querySum, codes, r);
        this.decodeRow(codes, r);
        const squared = this.kernels.call.dotF32(this.row, this.row, dimensions);
        out[r] = Math.max(0, norm - 2 * dot + squared) * unit * unit;
      }
    }
    return out;
  }

  /** Which mean record r was centred by. */
  private selectorOf(codes: LvqCodes, r: number): number {
    return codes.records[r * this.recordBytes + this.selectorAt]!;
  }

  private meanOf(codes: LvqCodes, r: number): Float32Array {
    const first = this.selectorOf(codes, r) * this.dimensions;
    return this.means.subarray(first, first + this.dimensions);
  }

  private checkQuery(query: Float32Array, codes: LvqCodes): void {
    checkVector('query', query, this.dimensions);
    checkFinite('query', query, this.dimensions);
    this.checkCodes(codes);
  }

  /** Codes of another codec, or cut short, would decode to nonsense. */
  private checkCodes({ count, records, residuals }: LvqCodes): void {
    const expected = [count * this.recordBytes, count * this.residualBytes];
    if (records?.length !== expected[0]) {
      throw wrongDimension('codes.records', expected[0]!, records?.length);
    }
    if (residuals?.length !== expected[1]) {
      throw wrongDimension('codes.residuals', expected[1]!, residuals?.length);
    }
    for (let r = 0; r < count; r++) {
      const selector = records[r * this.recordBytes + this.selectorAt]!;
      if (selector < this.placed.count) continue;
      throw outOfRange(`the mean of record ${r}`, `below ${this.placed.count}`, selector);
    }
  }

  /** <q, ẑ> for record r, in units; `q` points to the padded query. */
  private centredDot(q: number, querySum: number, codes: LvqCodes, r: number): number {
    const { call } = this.kernels;
    const { dimensions, bits, residualBits } = this;
    this.loadRecord(codes, r);
    const bytes = call.codeBytes(dimensions, bits);
    const constants = new DataView(this.kernels.memory.buffer, this.record + bytes, 4);
    const scale = call.halfToFloat(constants.getUint16(0, true));
    const bias = call.halfToFloat(constants.getUint16(2, true));
    const first = scale * call.dotFloatCodes(q, this.record, dimensions, bits) + bias * querySum;
    if (residualBits === undefined) return first;
    const step = scale / (2 ** residualBits - 1);
    const residual = this.record + alignUp(this.recordBytes, 16);
    const second = step * call.dotFloatCodes(q, residual, dimensions, residualBits);
    return first + second - (scale / 2) * querySum;
  }

  /** Loads (x − mean) / unit for the nearest mean, whose number it returns. */
  private loadCentred(vector: Float32Array): number {
    const { dimensions, placed } = this;
    const target = this.kernels.f32(this.row, dimensions);
    target.set(vector);
    const selector = placed.count === 1 ? 0 : nearestMean(this.kernels, this.row, placed).index;
    for (let j = 0; j < dimensions; j++) {
      target[j] = (vector[j]! - this.means[selector * dimensions + j]!) / this.unit;
    }
    return selector;
  }

  /** The query in scratch, zero up to a whole block. */
  private loadQuery(query: Float32Array): number {
    const target = this.kernels.f32(this.scratch, paddedDimensions(this.dimensions));
    target.fill(0);
    target.set(query);
    return this.scratch;
  }

  private loadRecord(codes: LvqCodes, r: number): void {
    const { recordBytes, residualBytes } = this;
    this.kernels
      .u8(this.record, recordBytes)
      .set(codes.records.subarray(r * recordBytes, (r + 1) * recordBytes));
    this.kernels
      .u8(this.record + alignUp(recordBytes, 16), residualBytes)
      .set(codes.residuals.subarray(r * residualBytes, (r + 1) * residualBytes));
  }

  /** Decodes record r into `row`, still centred and in units. */
  private decodeRow(codes: LvqCodes, r: number): void {
    const { call } = this.kernels;
    const { dimensions, bits, residualBits } = this;
    this.loadRecord(codes, r);
    const bytesBuffer = this.scratch + paddedDimensions(dimensions) * 4;
    if (residualBits === undefined) {
      call.lvqDecode(this.record, dimensions, bits, this.row, bytesBuffer);
      return;
    }
    const residual = this.record + alignUp(this.recordBytes, 16);
    call.lvqDecodeTwoLevels(
      this.record,
      dimensions,
      bits,
      residual,
      residualBits,
      this.row,
      bytesBuffer,
    );
  }
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
function resolveLvq(options: LvqOptions): ResolvedLvq {
  checkOptions('Lvq', options, LVQ_OPTIONS);
  const { residualBits } = options;
  if (residualBits !== undefined) checkOneOf('residualBits', residualBits, BITS);
  return {
    dimensions: checkInteger('dimensions', options.dimensions, 1, 32_768),
    bits: checkOneOf('bits', options.bits ?? 8, BITS),
    residualBits,
    means: checkInteger('means', options.means ?? 1, 1, 256),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
    padding: checkInteger('padding', options.padding ?? 32, 1, 4096),
  };
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const x of values) total += x;
  return total;
}
