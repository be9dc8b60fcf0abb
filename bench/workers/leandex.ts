import type { Rows } from '../../datasets/elements.js';
import { readBytes, writeBytes } from '../../datasets/file.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import type { Engine, EngineContext } from './engine.js';
import { serve } from './serve.js';

type Settings = Omit<LeanIndexOptions, 'dimensions' | 'distance'>;

serve(({ dimensions, distance, settings }: EngineContext<Settings>): Engine => {
  let index: LeanIndex;
  let rows: Float32Array[] = [];
  return {
    async build(vectors) {
      const started = performance.now();
      index = await LeanIndex.build(vectors.data, { dimensions, distance, ...settings });
      return (performance.now() - started) / 1000;
    },
    save(path) {
      writeBytes(path, [index.toBytes()]);
    },
    load(path) {
      index = LeanIndex.fromBytes(readBytes(path));
    },
    describe() {
      const { mode, primaryDimensions, primaryBits, secondaryBits, energyKept, kernel, ...rest } =
        index.stats();
      const resolved = { mode, primaryDimensions, primaryBits, secondaryBits, energyKept, kernel };
      return { resolved, bytesPerVector: rest.bytesPerVector };
    },
    prepare(queries: Rows<Float32Array>) {
      rows = Array.from({ length: queries.count }, (_, row) =>
        queries.data.subarray(row * dimensions, (row + 1) * dimensions),
      );
    },
    searcher(k, ef) {
      const options = { ef };
      return (query) => index.search(rows[query], k, options).ids;
    },
  };
});
