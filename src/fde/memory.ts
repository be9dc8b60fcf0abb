import { alignUp, Kernels, type KernelVariant } from '../kernels/index.js';
import { fdeFields, fdeScratchFields } from './fields.js';
import { CELL_FILLS, encodedDimensions, type ResolvedFde, wholeDimensions } from './options.js';
import { finalPlaces, hyperplanes, innerProjection } from './random-maps.js';

/** Outputs of the int16 projection come in groups of this many. */
const GROUP = 32;

/** The random maps of an encoder in one memory of the kernels, laid out as wasm/fde.ts has it. */
export class FdeMemory {
  readonly kernels: Kernels;
  readonly options: ResolvedFde;
  /** Floats from one token to the next. */
  readonly stride: number;
  /** Address of the structure `Fde`. */
  readonly pointer: number;
  private readonly groups: number;
  private readonly outputStride: number;

  constructor(options: ResolvedFde, shared: boolean, variant?: KernelVariant) {
    this.options = options;
    this.kernels = new Kernels({ shared, ...(variant && { variant }) });
    this.stride = alignUp(options.dimensions, 4);
    this.outputStride = alignUp(options.projectedDimensions, 4);
    this.groups = Math.ceil((options.repetitions * options.partitionBits) / GROUP);
    this.pointer = this.kernels.alloc(fdeFields.byteLength);
    this.write();
  }

  private write(): void {
    const { kernels, options, stride, pointer } = this;
    const places = finalPlaces(options);
    fdeFields.write(kernels, pointer, {
      dimensions: options.dimensions,
      stride,
      partitionBits: options.partitionBits,
      repetitions: options.repetitions,
      directions: this.writeDirections(),
      groups: this.groups,
      outputs: options.projectedDimensions,
      outputStride: this.outputStride,
      projection: this.writeProjections(),
      fill: CELL_FILLS.indexOf(options.fill),
      total: encodedDimensions(options),
      whole: wholeDimensions(options),
    });
    fdeFields.writeFloat(kernels, pointer, 'exponent', options.centroidExponent);
    if (places === undefined) return;
    const at = kernels.alloc(places.byteLength);
    kernels.u32(at, places.length).set(places);
    fdeFields.write(kernels, pointer, { places: at });
  }

  private writeDirections(): number {
    const { kernels, options, stride } = this;
    const { dimensions, partitionBits, repetitions } = options;
    const packed = kernels.alloc(kernels.call.projectionBytes(stride, this.groups * GROUP));
    const row = kernels.alloc(stride * 4);
    for (let r = 0; r < repetitions; r++) {
      const normals = hyperplanes(options, r);
      for (let b = 0; b < partitionBits; b++) {
        const normal = normals.subarray(b * dimensions, (b + 1) * dimensions);
        kernels.f32(row, dimensions).set(normal);
        kernels.call.packProjectionRow(row, stride, r * partitionBits + b, packed);
      }
    }
    return packed;
  }

  private writeProjections(): number {
    const { kernels, options, stride, outputStride } = this;
    const { dimensions, projectedDimensions: outputs, repetitions, projection } = options;
    if (projection === 'identity') return 0;
    const size = stride * outputStride;
    const pointer = kernels.alloc(repetitions * size * 4);
    const floats = kernels.f32(pointer, repetitions * size);
    for (let r = 0; r < repetitions; r++) {
      const matrix = innerProjection(options, r)!;
      for (let i = 0; i < dimensions; i++) {
        const row = matrix.subarray(i * outputs, (i + 1) * outputs);
        floats.set(row, r * size + i * outputStride);
      }
    }
    return pointer;
  }

  /** Fresh working memory of one thread, for sets of at most so many tokens. */
  allocScratch(tokensMost: number): number {
    const { kernels, options, stride } = this;
    const cells = 2 ** options.partitionBits;
    const scratch = kernels.alloc(fdeScratchFields.byteLength);
    const hasPlaces = options.finalDimensions !== undefined;
    fdeScratchFields.write(kernels, scratch, {
      input: kernels.alloc(alignUp(stride, 8) * 2),
      products: kernels.alloc(this.groups * GROUP * 4),
      cells: kernels.alloc(options.repetitions * tokensMost * 4),
      cellCapacity: tokensMost,
      sums: kernels.alloc(cells * stride * 4),
      counts: kernels.alloc(cells * 4),
      row: kernels.alloc(this.outputStride * 4),
      whole: hasPlaces ? kernels.alloc(wholeDimensions(options) * 4) : 0,
    });
    return scratch;
  }

  /** Copies `count` tokens, rows from … of `tokens`, into fresh memory. */
  copyTokens(tokens: Float32Array, from: number, count: number): number {
    const { kernels, stride } = this;
    const { dimensions } = this.options;
    const pointer = kernels.alloc(count * stride * 4);
    const floats = kernels.f32(pointer, count * stride);
    const end = (from + count) * dimensions;
    if (stride === dimensions) floats.set(tokens.subarray(from * dimensions, end));
    else {
      for (let t = 0; t < count; t++) {
        const first = (from + t) * dimensions;
        floats.set(tokens.subarray(first, first + dimensions), t * stride);
      }
    }
    return pointer;
  }
}
