import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { minimiseOnUnitSteps } from '../linalg/golden-section.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import { trace } from '../linalg/trace.js';
import { projectionLossSteps, type SecondMoments } from './projection-loss.js';

/** β is found to this; the loss is flat around its minimum. */
const TOLERANCE = 0.01;

/**
 * LeanVec-OOD by eigenvector search (arXiv 2312.16335, section 3.2): one orthonormal map for data
 * and queries, the leading eigenvectors of (1 − β) K_Q / tr K_Q + β K_X / tr K_X, with the β in
 * [0, 1] of the least loss. β = 1 is the data's own principal components and always tried, so the
 * loss is never above theirs. The loss has been unimodal in β wherever it was looked at.
 *
 * @returns target × dimensions, orthonormal rows by falling eigenvalue.
 */
export function* eigenvectorSearchSteps(
  kernels: Kernels,
  moments: SecondMoments,
  target: number,
  seed = 1,
): Steps<Float64Array> {
  const { dimensions: d, queries, data } = moments;
  const [queryTrace, dataTrace] = [trace(queries, d), trace(data, d)];
  let best: { loss: number; basis: Float64Array } | undefined;
  yield* minimiseOnUnitSteps(function* (beta) {
    const ofQueries = (1 - beta) / (queryTrace || 1);
    const ofData = beta / (dataTrace || 1);
    const mixed = queries.map((x, i) => ofQueries * x + ofData * data[i]!);
    yield;
    const pairs = yield* leadingEigenSteps(kernels, mixed, d, target, new Random(seed));
    const basis = pairs.vectors.slice(0, target * d);
    const loss = yield* projectionLossSteps(kernels, { queryBasis: basis, basis }, moments);
    if (best === undefined || loss < best.loss) best = { loss, basis };
    return loss;
  }, TOLERANCE);
  return best!.basis;
}
