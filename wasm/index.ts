// What the binaries export. Pointers are byte offsets into the imported memory.

export {
  dotF32, squaredL2F32, sumF32, scaleF32, subtractF32, normaliseF32, firstNonFinite,
} from './float';
export { packPanels, multiplyPanels, accumulateOuter } from './matrix';
export { updateAndMultiply, rotatePanel, reflectRows, accumulateRowProducts } from './eigen';
export { toHalf, halfToFloat } from './half';
export { crc32 } from './checksum';
export { codeBytes, packCodes, unpackCodes } from './pack';
export { dotQueryCodes, dotCodePair, sumCodes, dotFloatCodes } from './dot';
export {
  lvqRecordBytes, lvqEncode, lvqDecode, lvqEncodeResidual, lvqDecodeTwoLevels,
} from './lvq';
export {
  bestStep, primaryEncode, primaryDecode, primarySlotOrder, primaryQuery,
  primaryDistance as primaryScore,
} from './primary';
export { packProjectionRow, projectionBytes, projectVector } from './project';
export { topK, readKeys } from './beam';
export { secondaryBytes } from './secondary';
export { encodeRows } from './encode';
export { prepareProjected } from './search';
export { searchRows } from './query';
export { selectDiverse, insertNode, validateGraph } from './insert';

/** The first byte that the program's own data does not use. */
export function heapBase(): usize {
  return __heap_base;
}
