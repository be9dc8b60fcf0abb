const FACTOR = 1.5;
const SLACK = 0.05;

/**
 * How well a trained projection still fits: the share of the vectors' energy that it misses, over all
 * that its graph was given, against the same figure when the graph was built.
 */
export class Drift {
  /** Vectors there were when the projection was trained. */
  trainedOn = 0;
  /** Share of energy missed of what the graph was built of, 0 … 1. */
  private missedAtFirst = 1;
  private rows = 0;
  private missedSum = 0;

  /** A projection was trained on a sample of so many vectors. */
  begin(trainedOn: number): void {
    this.trainedOn = trainedOn;
    this.missedAtFirst = 1;
    this.rows = 0;
    this.missedSum = 0;
  }

  /** So many vectors were linked, of whose energy this share was missed. */
  add(rows: number, missed: number): void {
    this.rows += rows;
    this.missedSum += rows * missed;
  }

  /** The graph is built: what comes from now on is compared with this. */
  settle(): void {
    this.missedAtFirst = this.missed;
  }

  /** Share of energy missed of all that was linked, 0 … 1. */
  get missed(): number {
    return this.rows === 0 ? 0 : this.missedSum / this.rows;
  }

  /** Whether to train anew: half as much again is missed as at first, and a twentieth. */
  get isTooFar(): boolean {
    return this.missed > FACTOR * this.missedAtFirst + SLACK;
  }

  /** Plain values, to be saved with the graph. */
  toMeta(): Record<string, number> {
    const { trainedOn, missedAtFirst, rows, missedSum } = this;
    return { trainedOn, missedAtFirst, rows, missedSum };
  }

  /** Takes what toMeta() gave; false, changing nothing, for anything else. */
  restore(meta: Readonly<Record<string, unknown>>): boolean {
    const { trainedOn, missedAtFirst, rows, missedSum } = meta;
    const isShare = (value: unknown) => typeof value === 'number' && value >= 0;
    if (![trainedOn, missedAtFirst, rows, missedSum].every(isShare)) return false;
    Object.assign(this, { trainedOn, missedAtFirst, rows, missedSum });
    return true;
  }
}
