import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../base/steps.js';

/** A progress bar on stderr, or nothing where stderr is not a terminal. */
export function progressBar(): { update(progress: Progress): void; stop(): void } {
  if (!process.stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar(
    { format: '{phase} {bar} {percentage}% {duration_formatted}', hideCursor: true },
    Presets.shades_classic,
  );
  let phase: string | undefined;
  return {
    update(progress) {
      if (progress.phase !== phase) {
        if (phase !== undefined) bar.stop();
        phase = progress.phase;
        bar.start(progress.total, progress.done, { phase });
      }
      bar.setTotal(progress.total);
      bar.update(progress.done, { phase });
    },
    stop() {
      if (phase !== undefined) bar.stop();
    },
  };
}
