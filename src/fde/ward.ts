import type { Steps } from '../base/steps.js';

/**
 * Agglomerative clustering by Ward's criterion (J. Am. Stat. Assoc. 58, 1963): of all pairs the one
 * whose union adds least to the sum of squared distances to the means is merged, until k clusters are
 * left. By chains of nearest neighbours, O(n²) (Murtagh 1983), with the distances of Lance and Williams.
 */

/** Two clusters, each named by its first row, and what their union costs. */
interface Merge {
  first: number;
  second: number;
  cost: number;
}

/**
 * The cluster of each of n rows, 0 … k − 1 in the order of their first rows.
 * @param distances n x n squared distances; overwritten.
 */
export function* wardSteps(distances: Float64Array, n: number, k: number): Steps<Uint32Array> {
  const merges = (yield* wardMerges(distances, n)).sort((a, b) => a.cost - b.cost);
  const parent = Uint32Array.from({ length: n }, (_, i) => i);
  const rootOf = (row: number) => {
    let root = row;
    while (parent[root] !== root) root = parent[root]!;
    return root;
  };
  for (const { first, second } of merges.slice(0, n - k)) {
    const [a, b] = [rootOf(first), rootOf(second)];
    parent[Math.max(a, b)] = Math.min(a, b);
  }
  const numbers = new Map<number, number>();
  return Uint32Array.from(parent, (_, row) => {
    const root = rootOf(row);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
}

/** All n − 1 merges, in no particular order but for a part before its whole. */
function* wardMerges(distances: Float64Array, n: number): Steps<Merge[]> {
  const sizes = new Uint32Array(n).fill(1);
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (merges.length < n - 1) {
    if (chain.length === 0) chain.push(sizes.findIndex((size) => size > 0));
    const tip = chain.at(-1)!;
    const before = chain.at(-2);
    const nearest = nearestCluster(distances, sizes, tip, before);
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [first, second] = [Math.min(tip, nearest), Math.max(tip, nearest)];
    merges.push({ first, second, cost: distances[first * n + second]! });
    unite(distances, sizes, first, second);
    yield;
  }
  return merges;
}

/** The cluster nearest to another; of equally near ones the chain's last but one, else the first. */
function nearestCluster(
  distances: Float64Array,
  sizes: Uint32Array,
  tip: number,
  before: number | undefined,
): number {
  const n = sizes.length;
  let nearest = before ?? -1;
  let least = before === undefined ? Infinity : distances[tip * n + before]!;
  for (let other = 0; other < n; other++) {
    if (sizes[other] === 0 || other === tip) continue;
    const distance = distances[tip * n + other]!;
    if (distance < least || nearest < 0) {
      least = distance;
      nearest = other;
    }
  }
  return nearest;
}

/** Makes `second` a part of `first`. */
function unite(distances: Float64Array, sizes: Uint32Array, first: number, second: number): void {
  const n = sizes.length;
  const [a, b] = [sizes[first]!, sizes[second]!];
  const between = distances[first * n + second]!;
  for (let other = 0; other < n; other++) {
    const c = sizes[other]!;
    if (c === 0 || other === first || other === second) continue;
    const far = (a + c) * distances[first * n + other]! + (b + c) * distances[second * n + other]!;
    const distance = (far - c * between) / (a + b + c);
    distances[first * n + other] = distance;
    distances[other * n + first] = distance;
  }
  sizes[first] = a + b;
  sizes[second] = 0;
}
