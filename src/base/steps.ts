import { LeandexError, wrongType } from './errors.js';

/** How far long work has come; `total` is in the same units as `done`. */
export interface Progress {
  phase: 'pool' | 'encode' | 'train' | 'build' | 'repair' | 'load' | 'save' | 'verify' | 'advise';
  done: number;
  total: number;
}

/**
 * Long work written as a generator: it yields every few milliseconds, with its progress or nothing,
 * so that the same code runs to the end at once (`drain`) or in slices (`runSteps`). Where other
 * threads do the work it yields what to wait for instead, and then only `runSteps` can run it.
 */
export type Steps<T> = Generator<Progress | Promise<unknown> | undefined, T, void>;

export interface RunOptions {
  /** Called between slices, at most every few milliseconds. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Aborts the work at the end of the present slice. */
  signal?: AbortSignal | undefined;
}

/**
 * Run options apart from the others that came with them.
 * @throws TypeError `INVALID_ARGUMENT` unless `options` is an object and its run options are usable.
 */
export function partRunOptions<T extends RunOptions>(
  what: string,
  options: T,
): { run: RunOptions; rest: Omit<T, keyof RunOptions> } {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongType(`the options of ${what}`, 'an object', options);
  }
  const { signal, onProgress, ...rest } = options;
  checkProgress(onProgress);
  // Whatever is like an AbortSignal will do.
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    throw wrongType('signal', 'an AbortSignal', signal);
  }
  return { run: { signal, onProgress }, rest };
}

/** @throws TypeError `INVALID_ARGUMENT` */
export function checkRunTypes({ signal, onProgress }: RunOptions): void {
  checkProgress(onProgress);
  checkSignal(signal);
}

function checkProgress(onProgress: unknown): void {
  if (onProgress === undefined || typeof onProgress === 'function') return;
  throw wrongType('onProgress', 'a function', onProgress);
}

/** @throws TypeError `INVALID_ARGUMENT` */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw wrongType('signal', 'an AbortSignal', signal);
}

/** The event loop gets a turn after this long. */
const SLICE_MS = 2;

/** When the slice of the present turn ends: all that runs in one turn shares it. */
let turnEnd: number | undefined;

function sliceOfTurn(): number {
  if (turnEnd === undefined) {
    turnEnd = performance.now() + SLICE_MS;
    void nextTurn().then(() => {
      turnEnd = undefined;
    });
  }
  return turnEnd;
}

/**
 * For short work that is not written as steps: what to wait for when this turn has lasted long
 * enough. Promises that resolve at once never let the event loop turn.
 */
export function turnIfDue(): Promise<void> | undefined {
  return performance.now() >= sliceOfTurn() ? nextTurn() : undefined;
}

/**
 * Runs the steps in slices, between which the event loop turns.
 * @throws LeandexError `ABORTED` once the signal fires; its cause is the signal's reason.
 */
export async function runSteps<T>(steps: Steps<T>, options: RunOptions = {}): Promise<T> {
  const { onProgress, signal } = options;
  let reported = performance.now();
  try {
    for (;;) {
      throwIfAborted(signal);
      const sliceEnd = sliceOfTurn();
      const { value: progress, done } = steps.next();
      if (done) return progress;
      if (progress instanceof Promise) {
        await progress;
        continue;
      }
      const now = performance.now();
      // The end is reported before the last step, which may make the work final.
      const isReportDue = now >= reported + SLICE_MS || progress?.done === progress?.total;
      if (progress !== undefined && isReportDue) {
        onProgress?.({ ...progress });
        reported = now;
      }
      if (now >= sliceEnd) await nextTurn();
    }
  } finally {
    // Lets the generator's own `finally` blocks run when a slice was the last one.
    steps.return(undefined as T);
  }
}

/** Runs the steps to the end at once. */
export function drain<T>(steps: Steps<T>): T {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
    if (value instanceof Promise) {
      throw new LeandexError('INTERNAL', 'work of other threads cannot be waited for at once');
    }
  }
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new LeandexError('ABORTED', 'the operation was aborted', { cause: signal.reason });
  }
}

/** Resolves after the event loop has turned (timers in browsers would wait 4 ms). */
function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
