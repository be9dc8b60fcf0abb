import type { Distance } from '../../src/base/distance.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { BenchData } from '../data.js';
import { distancesSoFar } from '../regression/counters.js';
import { searchAll } from '../search-all.js';
import { median } from '../statistics.js';
import type { SettingRow } from './result.js';
import { EFS, type SettingGroup, type Variant } from './variants.js';

const K = 10;
const DISTANCE: Distance = 'Cosine';

interface Subject {
  readonly variant: Variant;
  readonly index: LeanIndex;
}

/**
 * Builds an index for each of the variants and searches them in turn, round after round, so that what
 * else the machine does falls on all alike. Times are medians over the rounds.
 */
export async function measureGroup(
  group: SettingGroup,
  data: BenchData,
  rounds: number,
): Promise<SettingRow[]> {
  const { corpus, dimensions } = data;
  const asked = data.queries.slice(0, group.queries.asked * dimensions);
  const training = data.queries.slice(asked.length);
  const subjects: Subject[] = [];
  const built = new Map<string, LeanIndex>();
  for (const variant of group.variants) {
    const options = {
      ...{ ...variant.options, dimensions, distance: DISTANCE },
      ...(variant.trained && { queries: training }),
    };
    const key = JSON.stringify([variant.options, variant.trained]);
    const index = built.get(key) ?? (await LeanIndex.build(corpus, options));
    built.set(key, index);
    subjects.push({ variant, index });
  }
  // Bytes of working memory are counted before searching has made any.
  const bytes = subjects.map(({ index }) => index.stats().bytesPerVector);
  const truth = exactNeighbours(corpus, asked, dimensions, K, DISTANCE);
  const tasks = efsOf(group).flatMap((ef) =>
    subjects
      .filter(({ variant }) => (variant.efs ?? EFS).includes(ef))
      .map(({ index, variant }) => ({ ef, index, variant, seconds: [] as number[] })),
  );
  const counted = tasks.map(({ ef, index, variant }) => {
    const before = distancesSoFar(index);
    const ids = searchAll(index, asked, K, { ef, ...variant.search });
    const distances = (distancesSoFar(index) - before) / group.queries.asked;
    return { recall: recallAtK(ids, truth, K), distances };
  });
  for (let round = 0; round < rounds; round++) {
    for (const { ef, index, variant, seconds } of tasks) {
      const start = performance.now();
      searchAll(index, asked, K, { ef, ...variant.search });
      seconds.push((performance.now() - start) / 1000);
    }
  }
  const rows = subjects.map(({ variant, index }, i): SettingRow => {
    const { mode, primaryDimensions, primaryBits, secondaryBits, energyKept } = index.stats();
    const points = tasks.flatMap((task, t) => {
      if (task.variant !== variant) return [];
      const micros = (1e6 * median(task.seconds)) / group.queries.asked;
      return [{ ef: task.ef, ...counted[t]!, micros }];
    });
    return {
      ...{ name: variant.name, bytesPerVector: bytes[i]!, points },
      resolved: { mode, primaryDimensions, primaryBits, secondaryBits, energyKept },
    };
  });
  for (const index of built.values()) await index.close();
  return rows;
}

const efsOf = ({ variants }: SettingGroup) =>
  [...new Set(variants.flatMap(({ efs }) => efs ?? EFS))].sort((a, b) => a - b);
