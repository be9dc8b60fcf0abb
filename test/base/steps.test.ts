import { describe, expect, test } from 'vitest';
import { drain, type Progress, runSteps, type Steps } from '../../src/base/steps.js';

/** Counts to `total`, taking a moment for each step, and notes that it was cleaned up. */
function* counting(total: number, notes: string[] = []): Steps<string> {
  const progress: Progress = { phase: 'build', done: 0, total };
  try {
    for (let i = 1; i <= total; i++) {
      const end = performance.now() + 0.5;
      while (performance.now() < end);
      progress.done = i;
      yield progress;
    }
    return 'done';
  } finally {
    notes.push('cleaned up');
  }
}

describe('runSteps', () => {
  test('gives the result and lets the event loop turn meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    expect(await runSteps(counting(60))).toBe('done');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  test('reports progress up to its end', async () => {
    const seen: number[] = [];
    await runSteps(counting(40), { onProgress: ({ done }) => seen.push(done) });
    expect(seen.at(-1)).toBe(40);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('stops on abort, with the reason as cause and the cleaning done', async () => {
    const notes: string[] = [];
    const controller = new AbortController();
    const options = {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    };
    await expect(runSteps(counting(1000, notes), options)).rejects.toMatchObject({
      code: 'ABORTED',
      cause: new Error('enough'),
    });
    expect(notes).toEqual(['cleaned up']);
  });

  test('passes on an error of onProgress, with the cleaning done', async () => {
    const notes: string[] = [];
    const onProgress = () => {
      throw new Error('from the callback');
    };
    await expect(runSteps(counting(100, notes), { onProgress })).rejects.toThrow(
      'from the callback',
    );
    expect(notes).toEqual(['cleaned up']);
  });
});

test('drain runs to the end at once', () => {
  expect(drain(counting(3))).toBe('done');
});
