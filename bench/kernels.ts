import Benchmark from 'benchmark';
import { Random } from '../src/base/random.js';
import { Kernels, type KernelVariant, kernelVariant } from '../src/kernels/index.js';
import { type KernelTime, kernelTable } from './kernels/result.js';
import { stampLine, stampOf, writeStamped } from './stamped.js';
import { median } from './statistics.js';

/**
 * Nanoseconds of one call of each kernel, operands in the first-level cache as far as they fit, with
 * SIMD and with relaxed SIMD: `npm run bench:kernels` writes bench/results/kernels.json. Searches call the kernels from inside
 * WebAssembly and pay no call from JavaScript: with 0 dimensions, that call is all there is.
 */

const DIMENSIONS = [0, 160, 256, 768];
/** Lengths of primary records; the table says how many dimensions these hold. */
const RECORD_BYTES = [64, 128, 256];
/** Records that one call scores: about as many as a step of a search. */
const RECORDS = 16;
/** Dimensions that a projection keeps. */
const SLOTS = 256;
const ROTATED = [256, 384, 768, 1024];
const LIST_SIZES = [64, 128, 512];
const VARIANTS: readonly KernelVariant[] = ['simd', 'relaxed-simd'];
const SECONDS_PER_KERNEL = 0.15;

/** Calls in one run of the benchmark, so that its own loop does not count. */
const CALLS = 1000;

interface Subject {
  readonly name: string;
  readonly bits: number;
  readonly dimensions: number;
  readonly run: (dimensions: number, bits: number) => unknown;
}

/** Operands long enough for every kernel: bytes of 0 … 127 and floats of 0 … 1. */
class Operands {
  private readonly kernels: Kernels;
  private readonly random = new Random(1);

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  bytes(length: number): number {
    const pointer = this.kernels.alloc(length);
    this.kernels.u8(pointer, length).forEach((_, i, view) => {
      view[i] = this.random.below(128);
    });
    return pointer;
  }

  floats(length: number): number {
    return this.kernels.copyF32(Float32Array.from({ length }, () => this.random.uniform()));
  }

  /** Memory of zeros. */
  room(length: number): number {
    return this.kernels.alloc(length);
  }

  /** Addresses of `count` records of so many bytes. */
  records(count: number, byteLength: number): number {
    const addresses = Uint32Array.from({ length: count }, () => this.bytes(byteLength));
    const pointer = this.kernels.alloc(addresses.byteLength);
    this.kernels.u32(pointer, count).set(addresses);
    return pointer;
  }
}

const MOST = Math.max(...DIMENSIONS, ...ROTATED);

function subjects(kernels: Kernels): Subject[] {
  const operands = new Operands(kernels);
  return [
    ...dots(kernels, operands),
    ...scores(kernels, operands),
    ...transforms(kernels, operands),
    ...lists(kernels, operands),
  ];
}

/** The same kernel for each width and number of dimensions. */
function each(
  name: string,
  widths: readonly number[],
  dimensions: readonly number[],
  run: Subject['run'],
): Subject[] {
  return widths.flatMap((bits) => dimensions.map((n) => ({ name, bits, dimensions: n, run })));
}

/** Sums over two vectors. */
function dots({ call }: Kernels, operands: Operands): Subject[] {
  const [codes, query, short] = [MOST, MOST, 2 * MOST].map((length) => operands.bytes(length));
  const [a, b] = [operands.floats(MOST), operands.floats(MOST)];
  const multiplesOf64 = DIMENSIONS.filter((n) => n % 64 === 0);
  return [
    ...each('dotQueryCodes', [2, 4, 7, 8], DIMENSIONS, (n, bits) =>
      call.dotQueryCodes(query!, codes!, n, bits),
    ),
    ...each('dotShortCodes', [4, 8], DIMENSIONS, (n, bits) =>
      call.dotShortCodes(short!, codes!, n, bits),
    ),
    ...each('dotFloatCodes', [2, 4, 8], DIMENSIONS, (n, bits) =>
      call.dotFloatCodes(a, codes!, n, bits),
    ),
    ...each('dotCodePair', [2, 4, 8], DIMENSIONS, (n, bits) =>
      call.dotCodePair(query!, codes!, n, bits),
    ),
    ...each('dotBuildCodes', [7], multiplesOf64, (n) => call.dotBuildCodes(query!, codes!, n)),
    ...each('dotF32', [32], DIMENSIONS, (n) => call.dotF32(a, b, n)),
  ];
}

/** Traversal distances of RECORDS records a call. */
function scores({ call }: Kernels, operands: Operands): Subject[] {
  const largest = Math.max(...RECORD_BYTES);
  const records = operands.records(RECORDS, largest);
  const query = operands.bytes(largest * 4);
  const [constants, distances] = [operands.floats(2), operands.room(RECORDS * 4)];
  return ([2, 4, 7] as const).flatMap((bits) => {
    const kernel = { 2: call.scoreRecords2, 4: call.scoreRecords4, 7: call.scoreRecords7 }[bits];
    return [0, ...RECORD_BYTES].map((bytes) => ({
      name: `scoreRecords${bits}, ${bytes === 0 ? 0 : RECORDS} records`,
      bits,
      dimensions: (bytes * 8) / (bits === 7 ? 8 : bits),
      run: () =>
        kernel(query, constants, 0, records, bytes === 0 ? 0 : RECORDS / 4, bytes, distances),
    }));
  });
}

/** What happens to a query before it is searched for. */
function transforms({ call }: Kernels, operands: Operands): Subject[] {
  const [x, rotated] = [operands.floats(MOST), operands.room(MOST * 4)];
  const signs = operands.room(2 * MOST * 4);
  const [input, projected] = [operands.room(MOST * 2), operands.room(SLOTS * 4)];
  const packed = operands.room(call.projectionBytes(MOST, SLOTS));
  const [codes, constants] = [operands.room(SLOTS), operands.room(8)];
  return [
    // Of zeros, so that calling it a million times on one place changes nothing.
    ...each('rotate', [32], ROTATED, (n) => call.rotate(rotated, signs, n)),
    ...each('quantiseInput', [32], DIMENSIONS, (n) => call.quantiseInput(x, n, input)),
    ...each(`projectVector to ${SLOTS}`, [32], DIMENSIONS, (n) =>
      call.projectVector(x, n, packed, SLOTS, input, projected),
    ),
    ...each('primaryQuery', [2], [0, 64, 256], (n) => call.primaryQuery(x, n, 2, codes, constants)),
  ];
}

/** The best 64 … 512 of as many distances in random order: what insertions cost. */
function lists({ call }: Kernels, operands: Operands): Subject[] {
  const most = Math.max(...LIST_SIZES);
  const [distances, list] = [operands.floats(most), operands.room((most + 1) * 8)];
  return each('topK of k', [32], [0, ...LIST_SIZES], (n) =>
    call.topK(distances, n, 0, Math.max(1, n), list, 0),
  );
}

/** The least and the median nanoseconds of a call. */
function measure(subject: Subject): KernelTime {
  const benchmark = new Benchmark(subject.name, {
    maxTime: SECONDS_PER_KERNEL,
    fn: () => repeat(subject),
  });
  benchmark.run();
  if (benchmark.error !== undefined) throw benchmark.error;
  const { sample } = benchmark.stats!;
  const nanoseconds = (seconds: number) => (seconds * 1e9) / CALLS;
  return { least: nanoseconds(Math.min(...sample)), median: nanoseconds(median(sample)) };
}

function repeat({ run, dimensions, bits }: Subject): void {
  for (let i = 0; i < CALLS; i++) run(dimensions, bits);
}

/** Undefined where the engine does not compile the variant. */
function subjectsOf(variant: KernelVariant): Subject[] | undefined {
  try {
    return subjects(new Kernels({ variant }));
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

const stamp = stampOf('kernels');
// Choosing the process's variant also sets the flag that relaxed SIMD needs in Node 20.
kernelVariant();
const columns = VARIANTS.map(subjectsOf);
// V8 inlines the one function that it has seen in a place, which makes the first ones measured
// cheaper. Once it has seen many, and measured one for nothing, all calls cost the same.
for (const subject of columns.flatMap((column) => column ?? [])) repeat(subject);
measure(columns[0]![0]!);
const rows = columns[0]!.map(({ name, bits, dimensions }, i) => ({
  ...{ name, bits, dimensions },
  times: columns.map((column) => (column === undefined ? null : measure(column[i]))),
}));
const result = { ...stamp, variants: VARIANTS, rows };
console.log(
  `${stampLine(stamp)}. All figures hold one call from JavaScript, which searches do not pay: the rows ` +
    `of 0 dimensions.\n\n${kernelTable(result)}`,
);
writeStamped(result);
