import { mix32 } from '../base/random.js';

const LEVEL_MAX = 16;

/**
 * The highest layer of a node: P(level ≥ l) = m^−l (arXiv 1603.09320, section 4.1, mL = 1 / ln m).
 * A hash of seed and id in integer arithmetic, so it is the same in every engine and order.
 */
export function levelOf(seed: number, id: number, m: number): number {
  const random = mix32(mix32(seed) ^ Math.imul(id, 0x9e3779b9));
  let level = 0;
  let threshold = 2 ** 32 / m;
  while (random < threshold && level < LEVEL_MAX) {
    level++;
    threshold /= m;
  }
  return level;
}
