import Benchmark from 'benchmark';
import { Random } from '../src/base/random.js';
import { Kernels, type KernelVariant, kernelVariant } from '../src/kernels/index.js';
import { table } from './markdown.js';
import { median } from './statistics.js';

/**
 * Nanoseconds of one call of each dot product, operands in the first-level cache, with SIMD and
 * with relaxed SIMD: `npm run bench:kernels`. Searches call the kernels from inside WebAssembly and
 * pay no call from JavaScript: with 0 dimensions, that call is all there is.
 */

const DIMENSIONS = [0, 160, 256, 768];
const VARIANTS: readonly KernelVariant[] = ['simd', 'relaxed-simd'];
const SECONDS_PER_KERNEL = 0.15;

/** Calls in one run of the benchmark, so that its own loop does not count. */
const CALLS = 1000;

interface Subject {
  readonly name: string;
  readonly bits: number;
  readonly dimensions: number;
  readonly run: (dimensions: number, bits: number) => number;
}

/** Operands long enough for every kernel: bytes of 0 … 127 and floats of 0 … 1. */
function operands(kernels: Kernels): { codes: number; query: number; a: number; b: number } {
  const most = Math.max(...DIMENSIONS);
  const random = new Random(1);
  const bytes = () => {
    const pointer = kernels.alloc(most);
    kernels.u8(pointer, most).forEach((_, i, view) => {
      view[i] = random.below(128);
    });
    return pointer;
  };
  const floats = () => kernels.copyF32(Float32Array.from({ length: most }, () => random.uniform()));
  return { codes: bytes(), query: bytes(), a: floats(), b: floats() };
}

function subjects(kernels: Kernels): Subject[] {
  const { call } = kernels;
  const { codes, query, a, b } = operands(kernels);
  const each = (name: string, widths: number[], run: Subject['run']) =>
    widths.flatMap((bits) => DIMENSIONS.map((dimensions) => ({ name, bits, dimensions, run })));
  return [
    ...each('dotQueryCodes', [2, 4, 7, 8], (n, bits) => call.dotQueryCodes(query, codes, n, bits)),
    ...each('dotFloatCodes', [2, 4, 8], (n, bits) => call.dotFloatCodes(a, codes, n, bits)),
    ...each('dotCodePair', [2, 4, 8], (n, bits) => call.dotCodePair(query, codes, n, bits)),
    ...each('dotF32', [32], (n) => call.dotF32(a, b, n)),
  ];
}

/** The least and the median nanoseconds of a call. */
function measure(subject: Subject): string {
  const benchmark = new Benchmark(subject.name, {
    maxTime: SECONDS_PER_KERNEL,
    fn: () => repeat(subject),
  });
  benchmark.run();
  if (benchmark.error !== undefined) throw benchmark.error;
  const { sample } = benchmark.stats!;
  return [Math.min(...sample), median(sample)]
    .map((seconds) => ((seconds * 1e9) / CALLS).toFixed(1))
    .join(' / ');
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

// Choosing the process's variant also sets the flag that relaxed SIMD needs in Node 20.
kernelVariant();
const columns = VARIANTS.map(subjectsOf);
// V8 inlines the one function that it has seen in a place, which makes the first ones measured
// cheaper. Once it has seen many, and measured one for nothing, all calls cost the same.
for (const subject of columns.flatMap((column) => column ?? [])) repeat(subject);
measure(columns[0]![0]!);
const rows = columns[0]!.map(({ name, bits, dimensions }, i) => [
  name,
  String(bits),
  String(dimensions),
  ...columns.map((column) => (column === undefined ? 'not available' : measure(column[i]))),
]);
process.stdout.write(
  `Nanoseconds a call, least / median, operands in the cache; Node ${process.versions.node}.\n` +
    'All figures hold one call from JavaScript, which searches do not pay: the rows of 0 ' +
    `dimensions.\n\n${table(['kernel', 'bits', 'dimensions', ...VARIANTS], rows)}\n`,
);
