// What the binaries export. Pointers are byte offsets into the imported memory.

export {
  dotF32, squaredL2F32, sumF32, scaleF32, subtractF32, normaliseF32, firstNonFinite,
} from './float';
export { packPanels, multiplyPanels, accumulateOuter } from './matrix';
export { updateAndMultiply, rotatePanel, reflectRows, accumulateRowProducts } from './eigen';
export { toHalf, halfToFloat } from './half';
export { crc32 } from './checksum';
export { codeBytes, packCodes, unpackCodes } from './pack';
export { dotQueryCodes, dotCodePair, sumCodes, dotFloatCodes, dotShortCodes } from './dot';
export {
  lvqRecordBytes, lvqEncode, lvqDecode, lvqEncodeResidual, lvqDecodeTwoLevels,
} from './lvq';
export { bestStep, primaryEncode, primaryDecode, primarySlotOrder, primaryQuery } from './primary';
export { scoreRecords2, scoreRecords4, scoreRecords7 } from './score';
export {
  packProjectionRow, projectGroup, projectionBytes, projectVector, quantiseInput,
} from './project';
export { rotate, rotateBack, oneStage, twoStages } from './rotate';
export { topK, readKeys } from './beam';
export { secondaryBytes } from './secondary';
export { buildCodeBytes, dotBuildCodes } from './pair';
export { primaryPairDistance } from './primary-pair';
export {
  dotBlock, dotCellPair, dotCells, nestedDot, nestedEncode, nestedPairDot,
} from './nested';
export { encodeRows, encodeSecondary, missedEnergy } from './encode';
export { gather, prepareProjected } from './search';
export { searchRows } from './query';
export { selectDiverse } from './select';
export { clearNode, linkNodes, reverseLinks, connectBack, raiseEntry } from './insert';
export { repairNodes, chooseEntry } from './repair';
export { encodeSets, projectCell } from './fde';
export {
  decodeTokens, encodeTokens, expandedBytes, expandTokens, longestToken, tokenBytes, tokenWidth,
} from './token';
export {
  maxDotsCodes, maxDotsFloat, maxSim, maxSimBest, packQuery, panelBytes,
} from './maxsim';
export { kvDecode, kvEncode, kvFromHalves, kvToHalves, kvToPanels } from './kv';
export { kvQuantiseRows, kvScore } from './attend';
export { kvAccumulate, kvSoftmax } from './weigh';
export { validateEntry, validateNodes } from './validate';

/** The first byte that the program's own data does not use. */
export function heapBase(): usize {
  return __heap_base;
}
