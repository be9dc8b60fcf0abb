export {
  type ClusterOptions,
  clusteredOrder,
  type GeneratedClusters,
  generateClusters,
} from './generate/clusters.js';
export { generateManifold, type ManifoldOptions } from './generate/manifold.js';
export type { Generated, GeneratorOptions } from './generate/options.js';
export {
  generateOutOfDistribution,
  type OutOfDistributionOptions,
} from './generate/out-of-distribution.js';
export { reorderRows } from './generate/rows.js';
export { generateSpectrum, type SpectrumOptions } from './generate/spectrum.js';
