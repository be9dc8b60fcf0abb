import { expect } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { decoded, packTile, quantise, TILE, tileBytes } from '../../src/kernels/scalar/kv.js';
import { borrowing, gaussians, place, type Random, readF32 } from './support.js';

/** Coefficients of a tile, component by component, and how they are coded. */
export interface MadeTile {
  readonly rows: Float32Array[];
  readonly widths: Uint8Array;
  readonly steps: Float32Array;
}

export function randomTile(random: Random, widths: Uint8Array): MadeTile {
  const steps = Float32Array.from(
    widths,
    () => 2 ** (random.below(9) - 4) * (1 + random.uniform()),
  );
  // A factor of 1.5 clips some.
  const rows = Array.from(widths, (width, i) =>
    gaussians(random, TILE).map((x) => x * 1.5 * steps[i]! * 2 ** (width - 2)),
  );
  return { rows, widths, steps };
}

/** Two panels of 8 tokens, a row a component. */
export function panelsOf(rows: readonly Float32Array[]): Float32Array {
  const panels = new Float32Array(rows.length * TILE);
  rows.forEach((row, j) => {
    row.forEach((x, t) => {
      panels[(Math.floor(t / 8) * rows.length + j) * 8 + (t % 8)] = x;
    });
  });
  return panels;
}

/** Numbers that the codes of a tile stand for, by the scalar twin. */
export function codedRows({ rows, widths, steps }: MadeTile): {
  codes: Uint8Array[];
  values: Float32Array[];
} {
  const codes = rows.map((row, i) => quantise(row, widths[i]!, steps[i]!));
  const values = codes.map((of, i) =>
    Float32Array.from(of, (code) => decoded(code, widths[i]!, steps[i]!)),
  );
  return { codes, values };
}

/** Codes and decodes a tile with the kernels, and expects what the scalar twin gives, to the bit. */
export function expectSameTile(kernels: Kernels, tile: MadeTile): void {
  const { rows, widths, steps } = tile;
  const { codes, values } = codedRows(tile);
  const n = rows.length;
  const bytes = tileBytes(widths);
  borrowing(kernels, () => {
    const [w, s] = [place(kernels, widths), place(kernels, steps)];
    const panels = place(kernels, panelsOf(rows));
    const out = kernels.alloc(bytes + 16);
    kernels.u8(out, bytes + 16).fill(0xff);
    const end = kernels.call.kvEncode(panels, n, w, s, out);
    expect(end - out).toBe(bytes);
    expect(kernels.u8(out, bytes)).toEqual(packTile(codes, widths));
    expect(kernels.u8(end, 16)).toEqual(new Uint8Array(16).fill(0xff));
    const decoded = kernels.alloc(n * TILE * 4);
    kernels.call.kvDecode(out, n, w, s, decoded);
    expect(readF32(kernels, decoded, n * TILE)).toEqual(panelsOf(values));
  });
}
