/** What is to be done when a signal fires. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `run` when the signal fires, until the function returned is called. However many wait for one
 * signal, it has one listener: the many reads of one request share its signal, and Node warns of more
 * than ten.
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal === undefined) return () => {};
  const known = waiting.get(signal) ?? listen(signal);
  known.add(run);
  return () => known.delete(run);
}

function listen(signal: AbortSignal): Set<() => void> {
  const runs = new Set<() => void>();
  waiting.set(signal, runs);
  const runAll = () => {
    for (const run of runs) run();
  };
  signal.addEventListener('abort', runAll, { once: true });
  return runs;
}
