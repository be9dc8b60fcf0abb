/**
 * The order of the writes of a collection: those that look before they write are alone meanwhile,
 * others go side by side.
 */
export class WriteTurns {
  /** The last of those that are alone; never rejects. */
  private last: Promise<unknown> = Promise.resolve();
  private readonly running = new Set<Promise<unknown>>();

  side<T>(write: () => Promise<T>): Promise<T> {
    const result = this.last.then(write);
    const settled = result.catch(() => {});
    this.running.add(settled);
    void settled.then(() => this.running.delete(settled));
    return result;
  }

  alone<T>(write: () => Promise<T>): Promise<T> {
    const result = Promise.all([this.last, ...this.running]).then(write);
    this.last = result.catch(() => {});
    return result;
  }
}
