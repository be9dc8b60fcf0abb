import type { KernelVariant } from '../../src/kernels/index.js';
import { table } from '../markdown.js';
import type { Stamp } from '../stamped.js';

/** Nanoseconds of a call. */
export interface KernelTime {
  readonly least: number;
  readonly median: number;
}

/** What `npm run bench:kernels` measures. */
export interface KernelResult extends Stamp {
  readonly variants: readonly KernelVariant[];
  readonly rows: readonly {
    readonly name: string;
    readonly bits: number;
    readonly dimensions: number;
    /** A variant each; null where the engine does not compile it. */
    readonly times: readonly (KernelTime | null)[];
  }[];
}

export function kernelTable({ variants, rows }: Pick<KernelResult, 'variants' | 'rows'>): string {
  return table(
    [
      'kernel',
      'bits',
      'dimensions or size',
      ...variants.map((name) => `${name}, ns, least / median`),
    ],
    rows.map(({ name, bits, dimensions, times }) => [
      ...[name, String(bits), String(dimensions)],
      ...times.map((time) =>
        time === null ? 'not available' : `${time.least.toFixed(1)} / ${time.median.toFixed(1)}`,
      ),
    ]),
  );
}
