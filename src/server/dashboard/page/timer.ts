/**
 * Does something now, and again and again until the signal, each time after the one before has ended.
 * A page that is not looked at asks for nothing. Only the first failure is thrown: later ones may pass.
 */
export async function everyFewSeconds(
  seconds: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  await work();
  const again = async (): Promise<void> => {
    if (signal.aborted) return;
    if (!document.hidden) await work().catch(() => undefined);
    setTimeout(again, 1000 * seconds);
  };
  setTimeout(again, 1000 * seconds);
}
