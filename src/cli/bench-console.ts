import { Presets, SingleBar } from 'cli-progress';

/** What a bench run tells on stderr: lines, and on a terminal a bar of the measurements done. */
export interface BenchConsole {
  line(text: string): void;
  progress(progress: { phase: string; done: number; total: number }): void;
  stop(): void;
}

export function benchConsole(): BenchConsole {
  let bar: SingleBar | undefined;
  let shown: string | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stop,
    // A bar is stopped for a line, and begins below it at the next measurement.
    line(text) {
      stop();
      process.stderr.write(`${text}\n`);
    },
    progress({ phase, done, total }) {
      if (!process.stderr.isTTY) return;
      if (phase !== shown) stop();
      shown = phase;
      if (bar === undefined) {
        const format = '{phase} {bar} {percentage}% {duration_formatted}, {eta_formatted} to go';
        bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
        bar.start(total, done, { phase });
      }
      bar.update(done);
      if (done === total) stop();
    },
  };
}
