import { checkFinite, checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';

/** How many numbers a token has in a cache. */
export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Keys before RoPE, and values, of some tokens. */
export interface KvTokens {
  /** [layers, tokens, kvHeads · headDim], or a [tokens, kvHeads · headDim] for each layer. */
  keys: Float32Array | readonly Float32Array[];
  /** The same shape as keys. */
  values: Float32Array | readonly Float32Array[];
  tokens: number;
}

/** Checked tokens: for each layer the rows, tokens × width. */
export interface KvRows {
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly tokens: number;
}

export type KvKind = 'keys' | 'values';
export const KV_KINDS: readonly KvKind[] = ['keys', 'values'];

/** Tokens of a cache: their positions are u32. */
export const TOKENS_MAX = 2 ** 31;
/** The largest binary16: tokens that are kept exact are stored so. */
const HALF_MAX = 65_504;

/** Numbers of a token in one layer. */
export function widthOf({ kvHeads, headDim }: KvShape): number {
  return kvHeads * headDim;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` */
export function checkShape({ layers, kvHeads, headDim }: KvShape): KvShape {
  const shape = {
    layers: checkInteger('layers', layers, 1, 1024),
    kvHeads: checkInteger('kvHeads', kvHeads, 1, 1024),
    headDim: checkInteger('headDim', headDim, 1, 1024),
  };
  checkInteger('kvHeads · headDim', widthOf(shape), 1, 16_384);
  return shape;
}

/**
 * The rows of each layer; views where they can be.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for other lengths, NaN,
 * infinity and numbers beyond those of binary16.
 */
export function checkTokens(what: string, value: KvTokens, shape: KvShape): KvRows {
  checkOptions(what, value, ['keys', 'values', 'tokens']);
  const tokens = checkInteger(`${what}.tokens`, value.tokens, 0, TOKENS_MAX);
  return {
    keys: layersOf(`${what}.keys`, value.keys, tokens, shape),
    values: layersOf(`${what}.values`, value.values, tokens, shape),
    tokens,
  };
}

function layersOf(
  what: string,
  given: Float32Array | readonly Float32Array[],
  tokens: number,
  shape: KvShape,
): Float32Array[] {
  const size = tokens * widthOf(shape);
  const layers = given instanceof Float32Array ? split(what, given, size, shape.layers) : given;
  if (!Array.isArray(layers)) {
    throw wrongType(what, 'a Float32Array, or an array of one for each layer', given);
  }
  if (layers.length !== shape.layers) {
    throw wrongDimension(what, shape.layers, layers.length, 'layers');
  }
  layers.forEach((rows, layer) => {
    const name = `${what} of layer ${layer}`;
    if (!(rows instanceof Float32Array)) throw wrongType(name, 'a Float32Array', rows);
    if (rows.length !== size) {
      throw wrongDimension(name, `${size}, [${tokens}, ${widthOf(shape)}]`, rows.length);
    }
    checkHalves(name, rows, widthOf(shape));
  });
  return layers;
}

function split(what: string, rows: Float32Array, size: number, layers: number): Float32Array[] {
  if (rows.length !== size * layers) throw wrongDimension(what, size * layers, rows.length);
  return Array.from({ length: layers }, (_, i) => rows.subarray(i * size, (i + 1) * size));
}

function checkHalves(what: string, rows: Float32Array, width: number): void {
  for (let i = 0; i < rows.length; i++) {
    if (Math.abs(rows[i]!) <= HALF_MAX) continue;
    checkFinite(what, rows, width);
    const where = `row ${Math.floor(i / width)}, column ${i % width}`;
    throw outOfRange(`${what} at ${where}`, `at most ${HALF_MAX} in magnitude`, rows[i]);
  }
}
