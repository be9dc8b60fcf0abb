export { alignUp, type KernelOptions, Kernels, paddedDimensions } from './kernels.js';
export { type KernelVariant, kernelVariant } from './variant.js';
