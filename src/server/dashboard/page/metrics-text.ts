/** One sample of the text format of Prometheus. */
export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** By name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/** Reads the text format 0.0.4; lines that are none are left out. */
export function parseMetrics(text: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const parts = LINE.exec(line);
    if (parts === null) continue;
    const [, name, inBraces = '', value] = parts;
    const labels: Record<string, string> = {};
    for (const [, label, escaped] of inBraces.matchAll(LABEL)) {
      labels[label!] = escaped!.replace(/\\(.)/g, (_, one: string) => ESCAPES[one] ?? one);
    }
    const list = samples.get(name!) ?? [];
    list.push({ labels, value: value === '+Inf' ? Infinity : Number(value) });
    samples.set(name!, list);
  }
  return samples;
}

/** The sum over all labels. */
export const total = (samples: Samples, name: string): number =>
  (samples.get(name) ?? []).reduce((sum, { value }) => sum + value, 0);

/** A histogram over all labels: how many were no larger than each bound, by bound. */
export type Histogram = ReadonlyMap<number, number>;

export function histogram(
  samples: Samples,
  name: string,
  isWanted: (labels: Sample['labels']) => boolean = () => true,
): Histogram {
  const counts = new Map<number, number>();
  for (const { labels, value } of samples.get(`${name}_bucket`) ?? []) {
    if (!isWanted(labels)) continue;
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

/** What came to a histogram since an earlier state of it. */
export function since(now: Histogram, before: Histogram): Histogram {
  return new Map(Array.from(now, ([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

/**
 * The value below which this share lies, by linear interpolation within its bucket, as Prometheus'
 * histogram_quantile has it: of the last bucket its lower bound. NaN where there is nothing.
 */
export function quantile(counts: Histogram, share: number): number {
  const bounds = [...counts].sort(([a], [b]) => a - b);
  const all = bounds.at(-1)?.[1] ?? 0;
  if (!(all > 0)) return Number.NaN;
  let [lower, below] = [0, 0];
  for (const [upper, count] of bounds) {
    if (count >= share * all) {
      if (upper === Infinity) return lower;
      return count === below
        ? upper
        : lower + ((upper - lower) * (share * all - below)) / (count - below);
    }
    [lower, below] = [upper, count];
  }
  return lower;
}
