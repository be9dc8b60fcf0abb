export type { KernelVariant } from './exports.js';
export { alignUp, type KernelOptions, Kernels, paddedDimensions } from './kernels.js';
export { kernelVariant } from './variant.js';
