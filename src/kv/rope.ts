import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { checkBetween } from './options.js';

/** Rotary position embedding (RoFormer, arXiv 2104.09864) of queries and keys. */
export interface Rope {
  /** Base of the angles: pair f of `dimensions` numbers turns by theta^(−2 f / dimensions) a position. */
  theta?: number;
  /** Pairs are numbers i and i + dimensions / 2 (`half`), or 2 i and 2 i + 1 (`interleaved`). */
  style: 'half' | 'interleaved';
  /** Numbers of a head that are rotated, the first ones. Default all. */
  dimensions?: number;
  /** Angles a position, one a pair, instead of those of theta: for scaled variants (Llama 3, YaRN). */
  frequencies?: ArrayLike<number>;
}

const ROPE_OPTIONS = [
  'theta',
  'style',
  'dimensions',
  'frequencies',
] as const satisfies readonly (keyof Rope)[];

/** How a head is rotated. */
export interface Rotation {
  /** Angle a position of each pair. */
  readonly frequencies: Float64Array;
  /** From a pair's first number to its second, and to the next pair's first. */
  readonly partner: number;
  readonly next: number;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` */
export function resolveRope(rope: Rope | undefined, headDim: number): Rotation {
  if (rope === undefined) return { frequencies: new Float64Array(0), partner: 0, next: 0 };
  checkOptions('rope', rope, ROPE_OPTIONS);
  const style = checkOneOf('rope.style', rope.style, ['half', 'interleaved']);
  const dimensions = checkInteger('rope.dimensions', rope.dimensions ?? headDim, 2, headDim);
  if (dimensions % 2 !== 0) throw outOfRange('rope.dimensions', 'even', dimensions);
  const pairs = dimensions / 2;
  const places = style === 'half' ? { partner: pairs, next: 1 } : { partner: 1, next: 2 };
  return { frequencies: frequenciesOf(rope, pairs), ...places };
}

function frequenciesOf({ theta, frequencies }: Rope, pairs: number): Float64Array {
  if ((theta === undefined) === (frequencies === undefined)) {
    throw outOfRange('rope', 'with either theta or frequencies', 'both or neither');
  }
  if (frequencies === undefined) {
    const base = checkBetween('rope.theta', theta, 1, 1e12);
    return Float64Array.from({ length: pairs }, (_, f) => base ** (-f / pairs));
  }
  if (typeof frequencies !== 'object' || frequencies === null) {
    throw wrongType('rope.frequencies', `${pairs} numbers`, frequencies);
  }
  if (frequencies.length !== pairs) {
    throw wrongDimension('rope.frequencies', pairs, frequencies.length);
  }
  return Float64Array.from(frequencies, (x) => checkBetween('a frequency', x, -1e6, 1e6));
}

/** Rotates the numbers of a head from `at` on as at a position. */
export function rotate(
  { frequencies, partner, next }: Rotation,
  numbers: Float32Array,
  at: number,
  position: number,
): void {
  for (let pair = 0, x = at; pair < frequencies.length; pair++, x += next) {
    const angle = position * frequencies[pair]!;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [a, b] = [numbers[x]!, numbers[x + partner]!];
    numbers[x] = a * cos - b * sin;
    numbers[x + partner] = b * cos + a * sin;
  }
}
