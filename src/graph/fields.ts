import type { Kernels } from '../kernels/index.js';

/** A structure of 32-bit words in kernel memory. */
export class Fields<Name extends string> {
  readonly byteLength: number;
  private readonly offsets: ReadonlyMap<Name, number>;

  constructor(names: readonly Name[]) {
    this.byteLength = names.length * 4;
    this.offsets = new Map(names.map((name, i) => [name, i]));
  }

  read(kernels: Kernels, at: number, name: Name): number {
    return kernels.words[at / 4 + this.offsets.get(name)!]!;
  }

  write(kernels: Kernels, at: number, values: Partial<Record<Name, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      kernels.words[at / 4 + this.offsets.get(name as Name)!] = value as number;
    }
  }

  writeOne(kernels: Kernels, at: number, name: Name, value: number): void {
    kernels.words[at / 4 + this.offsets.get(name)!] = value;
  }

  writeFloat(kernels: Kernels, at: number, name: Name, value: number): void {
    kernels.floats[at / 4 + this.offsets.get(name)!] = value;
  }
}

/** The fields of `Index` in wasm/layout.ts, in its order. */
export const indexFields = new Fields([
  'chunkTable',
  'chunkShift',
  'dimensions',
  'metric',
  'primaryOffset',
  'primaryBytes',
  'primaryStride',
  'primaryBits',
  'primaryUsed',
  'linksOffset',
  'linksStride',
  'upperOffset',
  'secondaryOffset',
  'secondaryStride',
  'secondaryBits',
  'm',
  'm0',
  'entry',
  'maxLevel',
  'upperNext',
  'upperEnd',
  'mean',
  'nested',
  'outputs',
  'projection',
  'queryProjection',
  'projectedMean',
  'rotation',
  'primaryConstants',
  'unit',
  'queryScale',
  'interval',
  'nearestOnly',
  'alpha',
  'building',
  'live',
]);

/** The fields of `Scratch` in wasm/layout.ts, in its order. */
export const scratchFields = new Fields([
  'query',
  'input',
  'querySum',
  'inputFactor',
  'short',
  'shortFactor',
  'codes',
  'constants',
  'marks',
  'marksLength',
  'epoch',
  'beam',
  'beamSize',
  'beamCapacity',
  'allow',
  'gatherIds',
  'gatherRecords',
  'gatherDistances',
  'gatherCapacity',
  'gathered',
  'ranked',
  'distances',
  'sink',
  'selected',
]);
