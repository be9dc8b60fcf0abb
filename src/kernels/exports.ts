/** Which instructions the search kernels use. */
export type KernelVariant = 'simd' | 'relaxed-simd';

/** Writes the records of `count` rows; 0, or 1 + the first row that has none (wasm/encode.ts). */
type EncodeKernel = (
  index: number,
  scratch: number,
  rows: number,
  count: number,
  ids: number,
  projected: number,
) => number;

/**
 * The functions of the binaries (wasm/index.ts). Pointers are byte offsets into the memory; sizes
 * count elements, not bytes, unless their name says so. The kernels check nothing: callers do.
 */
export interface KernelExports {
  heapBase(): number;

  dotF32(a: number, b: number, n: number): number;
  squaredL2F32(a: number, b: number, n: number): number;
  sumF32(a: number, n: number): number;
  scaleF32(a: number, factor: number, n: number): void;
  subtractF32(a: number, b: number, n: number): void;
  normaliseF32(a: number, n: number): number;
  firstNonFinite(a: number, n: number): number;

  packPanels(src: number, rows: number, cols: number, ld: number, dst: number): void;
  multiplyPanels(
    a: number,
    lda: number,
    rows: number,
    depth: number,
    b: number,
    panels: number,
    c: number,
    ldc: number,
  ): void;
  accumulateOuter(
    a: number,
    panelsA: number,
    b: number,
    panelsB: number,
    depth: number,
    c: number,
    ldc: number,
    symmetric: number,
  ): void;

  updateAndMultiply(
    a: number,
    ld: number,
    from: number,
    to: number,
    v: number,
    w: number,
    x: number,
    y: number,
  ): void;
  rotatePanel(panel: number, sweepsEnd: number, count: number, rotationsEnd: number): number;
  reflectRows(
    rows: number,
    ld: number,
    v: number,
    step: number,
    length: number,
    growth: number,
    count: number,
  ): void;
  accumulateRowProducts(
    x: number,
    p: number,
    y: number,
    q: number,
    depth: number,
    ld: number,
    c: number,
    ldc: number,
  ): void;

  toHalf(x: number): number;
  halfToFloat(h: number): number;
  crc32(pointer: number, byteLength: number, crc: number): number;

  codeBytes(n: number, bits: number): number;
  packCodes(z: number, n: number, bits: number, bias: number, scale: number, out: number): void;
  unpackCodes(codes: number, n: number, bits: number, out: number): void;
  dotQueryCodes(q: number, codes: number, n: number, bits: number): number;
  dotCodePair(a: number, b: number, n: number, bits: number): number;
  sumCodes(codes: number, n: number, bits: number): number;
  dotFloatCodes(q: number, codes: number, n: number, bits: number): number;
  dotShortCodes(q: number, codes: number, n: number, bits: number): number;

  lvqRecordBytes(n: number, bits: number): number;
  lvqEncode(z: number, n: number, bits: number, selector: number, record: number): number;
  lvqDecode(record: number, n: number, bits: number, out: number, bytesBuffer: number): void;
  lvqEncodeResidual(
    z: number,
    n: number,
    bits: number,
    record: number,
    bits2: number,
    out: number,
    scratch: number,
  ): void;
  lvqDecodeTwoLevels(
    record: number,
    n: number,
    bits: number,
    residual: number,
    bits2: number,
    out: number,
    bytesBuffer: number,
  ): void;

  bestStep(z: number, slots: number, used: number, bits: number): number;
  primaryEncode(
    z: number,
    bytes: number,
    bits: number,
    used: number,
    interval: number,
    constants: number,
    halfNorm: number,
    record: number,
  ): void;
  primaryDecode(record: number, bytes: number, bits: number, out: number): void;
  primarySlotOrder(bytes: number, bits: number, constants: number, out: number): number;
  primaryQuery(p: number, slots: number, bits: number, q: number, constants: number): void;
  scoreRecords2(
    q: number,
    constants: number,
    hasNorm: number,
    records: number,
    groups: number,
    bytes: number,
    distances: number,
  ): void;
  scoreRecords4(
    q: number,
    constants: number,
    hasNorm: number,
    records: number,
    groups: number,
    bytes: number,
    distances: number,
  ): void;
  scoreRecords7(
    q: number,
    constants: number,
    hasNorm: number,
    records: number,
    groups: number,
    bytes: number,
    distances: number,
  ): void;

  projectionBytes(n: number, slots: number): number;
  packProjectionRow(row: number, n: number, slot: number, packed: number): void;
  projectVector(
    x: number,
    n: number,
    packed: number,
    slots: number,
    scratch: number,
    out: number,
  ): void;

  quantiseInput(x: number, n: number, out: number): number;
  rotate(x: number, signs: number, n: number): void;
  rotateBack(x: number, signs: number, n: number): void;

  topK(distances: number, n: number, first: number, k: number, list: number, size: number): number;
  readKeys(list: number, size: number, ids: number, distances: number): void;

  secondaryBytes(n: number, bits: number): number;
  buildCodeBytes(bytes: number, bits: number, constants: number): number;
  dotBuildCodes(a: number, b: number, slots: number): number;
  primaryPairDistance(
    a: number,
    b: number,
    bytes: number,
    bits: number,
    constants: number,
    ofDirections: number,
  ): number;
  encodeRows: EncodeKernel;
  encodeSecondary: EncodeKernel;
  missedEnergy(
    index: number,
    scratch: number,
    rows: number,
    count: number,
    projected: number,
  ): number;
  dotCells(q: number, primary: number, bytes: number, codes: number): number;
  dotBlock(q: number, codes: number, bits: number): number;
  dotCellPair(
    primaryA: number,
    codesA: number,
    primaryB: number,
    codesB: number,
    bytes: number,
    mask: number,
  ): number;
  nestedEncode(
    nested: number,
    z: number,
    primary: number,
    primaryBytes: number,
    norm: number,
    record: number,
  ): number;
  nestedDot(
    nested: number,
    q: number,
    primary: number,
    primaryBytes: number,
    record: number,
  ): number;
  prepareProjected(index: number, scratch: number, projected: number): void;
  searchRows(
    index: number,
    scratch: number,
    count: number,
    rows: number,
    rowCount: number,
    projected: number,
    way: number,
    budget: number,
    k: number,
    ef: number,
    depth: number,
    ids: number,
    scores: number,
  ): number;
  selectDiverse(index: number, keys: number, count: number, most: number, selected: number): number;
  clearNode(index: number, id: number, level: number): void;
  linkNodes(
    index: number,
    scratch: number,
    ids: number,
    count: number,
    from: number,
    to: number,
    projected: number,
    stride: number,
    ef: number,
  ): void;
  reverseLinks(index: number, ids: number, count: number, layer: number, pairs: number): number;
  connectBack(
    index: number,
    scratch: number,
    pairs: number,
    count: number,
    from: number,
    to: number,
    layer: number,
  ): void;
  raiseEntry(index: number, ids: number, count: number): void;
  repairNodes(index: number, scratch: number, from: number, to: number): void;
  chooseEntry(index: number, count: number): void;
  encodeSets(
    fde: number,
    scratch: number,
    tokens: number,
    offsets: number,
    from: number,
    to: number,
    isQuery: number,
    out: number,
  ): void;

  tokenWidth(d: number, bits: number): number;
  tokenBytes(d: number, bits: number): number;
  expandedBytes(d: number, bits: number): number;
  encodeTokens(
    rows: number,
    count: number,
    d: number,
    bits: number,
    signs: number,
    row: number,
    records: number,
  ): void;
  decodeTokens(
    records: number,
    count: number,
    d: number,
    bits: number,
    signs: number,
    work: number,
    rows: number,
  ): void;
  expandTokens(records: number, count: number, d: number, bits: number, out: number): void;
  longestToken(records: number, count: number, d: number, bits: number, work: number): number;
  panelBytes(d: number, bits: number): number;
  packQuery(
    rows: number,
    m: number,
    d: number,
    bits: number,
    signs: number,
    row: number,
    panels: number,
  ): void;
  maxSim(
    panels: number,
    m: number,
    d: number,
    bits: number,
    documents: number,
    count: number,
    work: number,
    scores: number,
  ): void;
  maxSimBest(
    panels: number,
    m: number,
    d: number,
    bits: number,
    documents: number,
    count: number,
    work: number,
    k: number,
    list: number,
    size: number,
  ): number;

  kvEncode(panels: number, n: number, widths: number, steps: number, tile: number): number;
  kvDecode(tile: number, n: number, widths: number, steps: number, panels: number): void;
  kvToPanels(
    rows: number,
    count: number,
    stride: number,
    n: number,
    slot: number,
    panels: number,
  ): void;
  kvToHalves(from: number, n: number, to: number): void;
  kvFromHalves(from: number, n: number, to: number): void;

  kvQuantiseRows(
    rows: number,
    stride: number,
    count: number,
    n: number,
    widths: number,
    steps: number,
    out: number,
    factors: number,
    offsets: number,
  ): void;
  kvScore(scan: number, tiles: number, count: number, scores: number, stride: number): void;
  kvSoftmax(
    scores: number,
    rows: number,
    count: number,
    stride: number,
    state: number,
    factors: number,
  ): void;
  kvAccumulate(
    scan: number,
    tiles: number,
    count: number,
    weights: number,
    rows: number,
    stride: number,
    sums: number,
  ): void;

  validateEntry(index: number, count: number): number;
  validateNodes(index: number, count: number, from: number, to: number): number;
}

/** Names of the kernels, as tasks for other threads name them. */
export type KernelName = keyof KernelExports;
