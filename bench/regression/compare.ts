import type { Work } from './measure.js';

/** How much worse than the baseline still passes. */
export const TOLERANCE = {
  /** Of distances and bytes, as a share. */
  work: 0.03,
  /** Of recall, in points of 1: two in a thousand of the 2,000 neighbours asked for are four. */
  recall: 0.005,
} as const;

/**
 * What became worse than the baseline, in words; empty when nothing did. Better numbers pass: they
 * are a reason to renew the baseline, so that they cannot be lost again unseen.
 */
export function regressions(
  baseline: Readonly<Record<string, Work>>,
  now: Readonly<Record<string, Work>>,
): string[] {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(now)])];
  return names.flatMap((name) => {
    if (baseline[name] === undefined) return [`${name}: not in the baseline`];
    if (now[name] === undefined) return [`${name}: no longer measured`];
    const [before, after] = [numbersOf(baseline[name]), numbersOf(now[name])];
    return [...before].flatMap(([key, was]) => {
      const is = after.get(key) ?? Number.NaN;
      const isRecall = /recall/i.test(key);
      const limit = isRecall ? was - TOLERANCE.recall : was * (1 + TOLERANCE.work);
      const passes = isRecall ? is >= limit : is <= limit;
      if (passes) return [];
      const bound = isRecall ? 'at least' : 'at most';
      return [
        `${name}: ${key} is ${short(is)}, expected ${bound} ${short(limit)} (was ${short(was)})`,
      ];
    });
  });
}

function numbersOf(work: Work): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [key, value] of Object.entries(work)) {
    if (typeof value === 'number') numbers.set(key, value);
    else
      for (const [ef, each] of Object.entries(value as object))
        numbers.set(`${key} at ef ${ef}`, each);
  }
  return numbers;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}
