import type { Progress, Steps } from '../base/steps.js';
import type { Crew, Job } from '../threads/crew.js';
import type { NodeMemory } from './memory.js';
import type { Scratch } from './scratch.js';

/** Who works on a graph, each with working memory of its own. */
export interface Workforce {
  crew: Crew;
  /** One for each thread of the crew. */
  scratches: readonly Scratch[];
}

/**
 * The crew with its working memory, while `work` runs; where the memory is nearly full, as many of it
 * as there is room for.
 */
export function* withWorkforce<T>(
  nodes: NodeMemory,
  crew: Crew,
  work: (workforce: Workforce) => Steps<T>,
): Steps<T> {
  const scratches: Scratch[] = [];
  try {
    takeScratches(nodes, crew.threads, scratches);
    const { length: threads } = scratches;
    return yield* work({ crew: { ...crew, threads }, scratches });
  } finally {
    for (const scratch of scratches) nodes.giveBack(scratch);
  }
}

function takeScratches(nodes: NodeMemory, wanted: number, scratches: Scratch[]): void {
  while (scratches.length < wanted) {
    try {
      scratches.push(nodes.takeScratch());
    } catch (error) {
      if (scratches.length === 0) throw error;
      return;
    }
  }
}

/**
 * Does items 0 … count − 1: split among the threads of the crew, or here, so many at a time as a
 * few milliseconds allow. Returns what the jobs returned.
 */
export function* phase(
  nodes: NodeMemory,
  { crew, scratches }: Workforce,
  count: number,
  atOnce: number,
  job: (scratch: Scratch, from: number, to: number) => Job,
  progress?: Progress,
): Steps<number[]> {
  const results: number[] = [];
  if (crew.isHere) {
    for (let from = 0; from < count; from += atOnce) {
      const to = Math.min(count, from + atOnce);
      results.push(...(crew.run(nodes.kernels, [job(scratches[0]!, from, to)]) as number[]));
      yield progress;
    }
    return results;
  }
  const share = Math.ceil(count / crew.threads);
  const jobs: Job[] = [];
  for (let from = 0; from < count; from += share) {
    jobs.push(job(scratches[jobs.length]!, from, Math.min(count, from + share)));
  }
  yield Promise.resolve(crew.run(nodes.kernels, jobs)).then((returned) => {
    results.push(...returned);
  });
  return results;
}
