import { Kernels } from '../../src/kernels/index.js';

/** Columns of a panel of the matrix product (wasm/matrix.ts). */
const PANEL = 8;

/** Rows as the columns of panels in the memory of kernels. */
export interface Panels {
  readonly pointer: number;
  readonly rows: number;
  readonly dimensions: number;
}

export function panelsOf(kernels: Kernels, rows: Float32Array, dimensions: number): Panels {
  const count = rows.length / dimensions;
  const panels = Math.ceil(count / PANEL);
  const pointer = kernels.alloc(panels * dimensions * PANEL * 4);
  for (let panel = 0; panel < panels; panel++) {
    const floats = kernels.f32(pointer + panel * dimensions * PANEL * 4, dimensions * PANEL);
    for (let j = 0; j < Math.min(PANEL, count - panel * PANEL); j++) {
      const from = (panel * PANEL + j) * dimensions;
      for (let i = 0; i < dimensions; i++) floats[i * PANEL + j] = rows[from + i]!;
    }
  }
  return { pointer, rows: count, dimensions };
}

/** Inner products of rows with those of panels, a view for each row; valid until memory is released. */
export function productsInto(
  kernels: Kernels,
  rows: Float32Array,
  panels: Panels,
): { rows: Float32Array[] } {
  const { dimensions, pointer } = panels;
  const count = Math.ceil(panels.rows / PANEL);
  const stride = count * PANEL;
  const m = rows.length / dimensions;
  const a = kernels.copyF32(rows);
  const out = kernels.alloc(m * stride * 4);
  kernels.call.multiplyPanels(a, dimensions, m, dimensions, pointer, count, out, stride);
  return {
    rows: Array.from({ length: m }, (_, r) => kernels.f32(out + r * stride * 4, panels.rows)),
  };
}

/** <a_i, b_j> of the rows of two matrices: a's rows x b's rows. */
export function productsOf(a: Float32Array, b: Float32Array, dimensions: number): Float32Array {
  const kernels = new Kernels();
  const panels = panelsOf(kernels, b, dimensions);
  const products = new Float32Array((a.length / dimensions) * panels.rows);
  for (let r = 0; r * dimensions < a.length; r++) {
    const mark = kernels.mark();
    const row = a.subarray(r * dimensions, (r + 1) * dimensions);
    products.set(productsInto(kernels, row, panels).rows[0]!, r * panels.rows);
    kernels.release(mark);
  }
  return products;
}
