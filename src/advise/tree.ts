import type { Distance } from '../base/distance.js';
import type { Reason, Warning } from './advice.js';
import type { MetricFeatures, ShapeFeatures } from './meta-features.js';
import type { Settings } from './trial.js';

/**
 * The decisions of the advisor that need no trial, each a question with its limit. Those of the
 * distance are the tree of Iceberg (arXiv 2512.12980); the others are measured here (docs/advisor.md).
 */

interface Choice {
  distance: Distance;
  text: string;
}

/** Standard errors by which one distance must beat another. */
const CLEAR_ERRORS = 2;
/** Lengths vary more: cosine, dot and euclid rank differently. */
export const VARIATION_MAX = 0.1;
/** Lengths vary less: all three rank the same. */
const VARIATION_NONE = 0.01;
/** Below it nearest neighbours hardly stand out. */
const CONTRAST_MIN = 1.15;
/** Queries whose nearest vector is so many times as far are of another kind. */
const SHIFT_MAX = 1.1;
/** Upper over lower intrinsic dimensionality: more, and the order of insertion may matter. */
const LID_RATIO_MAX = 3;
/** A primary code that loses more of the variance leaves much to the re-rank. */
const KEPT_MIN = 0.6;
/** Effective dimensions, as a share of all; text embeddings have a fifth or less. */
const SPREAD_MAX = 0.5;
/** Fewer fit into one cache line as they are. */
const SPREAD_DIMENSIONS_MIN = 128;

/**
 * The distance for vectors of which it is not known what they were trained for: as the tree says,
 * unless the classes given are clearly told better by the other one.
 */
export function chooseDistance(features: MetricFeatures): Choice {
  const choice = treeDistance(features);
  const { labelRecall } = features;
  if (labelRecall === undefined) return choice;
  const { cosine, euclid, error } = labelRecall;
  const shares =
    `of the 10 nearest by Cosine ${percent(cosine)} have the class of the vector that asks, ` +
    `by Euclid ${percent(euclid)}`;
  const gain = choice.distance === 'Cosine' ? euclid - cosine : cosine - euclid;
  if (gain <= CLEAR_ERRORS * error) return { ...choice, text: `${choice.text}; ${shares}` };
  return {
    distance: choice.distance === 'Cosine' ? 'Euclid' : 'Cosine',
    text: `it tells the classes better: ${shares}; lengths and clusters speak for ${choice.distance} (${choice.text})`,
  };
}

function treeDistance({ norms, daviesBouldin }: MetricFeatures): Choice {
  const { euclid, cosine, of } = daviesBouldin;
  const clusters = of === 'labels' ? 'the classes given' : 'clusters by k-means';
  const figures =
    `lengths vary by ${percent(norms.variation)}, Davies–Bouldin of ${clusters}: ` +
    `Euclid ${euclid.toFixed(2)}, Cosine ${cosine.toFixed(2)} (lower is better)`;
  if (norms.variation <= VARIATION_NONE) {
    const text = `all vectors have about the same length, so all distances rank alike: ${figures}`;
    return { distance: 'Cosine', text };
  }
  if (norms.variation <= VARIATION_MAX && euclid >= cosine) {
    return { distance: 'Cosine', text: `directions separate the data better: ${figures}` };
  }
  const cause =
    norms.variation > VARIATION_MAX ? 'lengths carry information' : 'distances separate better';
  return { distance: 'Euclid', text: `${cause}: ${figures}` };
}

/** Of a distance that does not fit the lengths of the vectors. */
export function distanceWarnings(features: MetricFeatures, distance: Distance): Warning[] {
  const { norms, agreement } = features;
  const warnings: Warning[] = [];
  const isUneven = norms.variation > VARIATION_MAX;
  const same = `the top 10 by Cosine and by Dot have ${percent(agreement.cosineDot)} in common`;
  const uneven = `lengths vary by ${percent(norms.variation)} (at most 10% is usual for embeddings)`;
  if (isUneven && distance === 'Dot') {
    const text = `${uneven}: by Dot the long vectors win for most queries whatever they are about, and ${same}. Keep Dot only if the model was trained for it`;
    warnings.push({ code: 'LENGTHS_DECIDE', text });
  }
  if (isUneven && distance === 'Cosine') {
    const text = `${uneven}, and Cosine ignores them: ${same}. If the model was trained for inner products, cosines between its vectors can be arbitrary (arXiv 2403.05440): use Dot`;
    warnings.push({ code: 'LENGTHS_IGNORED', text });
  }
  if (norms.zeros > 0 && distance === 'Cosine') {
    const text = `${norms.zeros} vectors of the sample have length 0, and no direction for Cosine to compare: an index refuses them, and the advice is for the others`;
    warnings.push({ code: 'ZERO_VECTORS', text });
  }
  return warnings;
}

/** Of data that are hard to search or to compress, by their shape alone. */
export function shapeWarnings(features: ShapeFeatures): Warning[] {
  const { relativeContrast, outlierDimensions: outliers, queryShift } = features;
  const warnings: Warning[] = [];
  if (relativeContrast < CONTRAST_MIN) {
    const text = `the mean distance is ${relativeContrast.toFixed(2)} times that to the nearest: neighbours hardly stand out, and any index has to look at many`;
    warnings.push({ code: 'LOW_CONTRAST', text });
  }
  const share = outliers.reduce((sum, outlier) => sum + outlier.share, 0);
  if (share > 0.5) {
    const names = outliers.slice(0, 5).map(({ dimension }) => dimension);
    const text = `dimensions ${names.join(', ')} hold ${percent(share)} of the squared lengths: few numbers decide; consider scaling dimensions`;
    warnings.push({ code: 'OUTLIER_DIMENSIONS', text });
  }
  if (queryShift !== undefined && queryShift.nearest > SHIFT_MAX) {
    const text = `for queries the nearest vector is ${queryShift.nearest.toFixed(2)} times as far as for vectors of the data, and the means are ${queryShift.mean.toFixed(2)} spreads apart: they are of another kind`;
    warnings.push({ code: 'QUERIES_DIFFER', text });
  }
  return warnings;
}

/** Of data whose variance is spread too evenly for a projection to leave anything out. */
export function compressionWarnings(
  energyKept: number,
  primaryDimensions: number,
  { effectiveDimensions }: ShapeFeatures,
  dimensions: number,
): Warning[] {
  const isSpread =
    dimensions >= SPREAD_DIMENSIONS_MIN && effectiveDimensions > SPREAD_MAX * dimensions;
  if (energyKept >= KEPT_MIN && !isSpread) return [];
  const text = `the variance is spread over ${effectiveDimensions.toFixed(0)} of ${dimensions} dimensions, and ${primaryDimensions} keep ${percent(energyKept)} of it: the data hardly compress, and searches need wide beams`;
  return [{ code: 'POORLY_COMPRESSIBLE', text }];
}

/** Something that may reach the same recall with a narrower beam, and needs a trial to tell. */
export interface Challenge {
  about: Reason['about'];
  name: string;
  settings: Settings;
  /** Whether the projection is trained for the queries. */
  trains: boolean;
}

/** What the shape of the data makes worth a trial. */
export function challengesOf(
  { queryShift, intrinsicDimensionality: lid }: ShapeFeatures,
  canTrain: boolean,
): Challenge[] {
  const challenges: Challenge[] = [];
  if (canTrain && queryShift !== undefined && queryShift.nearest > SHIFT_MAX) {
    const name = 'training for the queries';
    challenges.push({ about: 'training', name, settings: {}, trains: true });
  }
  if (lid.p95 > LID_RATIO_MAX * lid.p5) {
    for (const order of ['lid-asc', 'lid-desc'] as const) {
      const name = `the order ${order}`;
      challenges.push({ about: 'order', name, settings: { order }, trains: false });
    }
  }
  return challenges;
}

export interface Rung {
  readonly settings: Settings;
  readonly text: string;
}

/** Settings from the smallest that may do to the largest, with what each is for. */
export function ladderOf(dimensions: number): readonly Rung[] {
  // As many dimensions as codes of a byte have by default lose more than their bits gain.
  const whole = { primaryBits: 7, primaryDimensions: dimensions, secondaryBits: 32 } as const;
  return [
    { settings: {}, text: 'the default: 8-bit codes rank what the primary codes find' },
    {
      settings: { secondaryBits: 32 },
      text: 'float32 vectors rank exactly, as 8 bits end too early',
    },
    {
      settings: whole,
      text: 'primary codes of a byte for every dimension, as smaller ones lose too much',
    },
    {
      settings: { ...whole, m: 32 },
      text: 'twice the links, as the graph itself misses neighbours',
    },
  ];
}

export const COMPACT: Rung = {
  settings: { preset: 'compact' },
  text: 'the compact preset, as the default takes more memory than allowed',
};

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
}

/** Why a primary code has these dimensions. */
export function projectionReason(
  energyKept: number,
  primaryDimensions: number,
  primaryBits: number,
  dimensions: number,
): Reason {
  const text = `${primaryDimensions} of ${dimensions} dimensions at ${primaryBits} bits lose least in as few cache lines; they keep ${percent(energyKept)} of the variance`;
  return { about: 'projection', text };
}
