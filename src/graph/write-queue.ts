/** Runs tasks one after the other, in the order of the calls; one that fails fails no other. */
export class WriteQueue {
  private last: Promise<unknown> = Promise.resolve();
  private unfinished = 0;

  /** Whether a task runs or waits. */
  get isBusy(): boolean {
    return this.unfinished > 0;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    this.unfinished++;
    const mine = this.last.catch(() => {}).then(task);
    this.last = mine;
    try {
      return await mine;
    } finally {
      this.unfinished--;
    }
  }

  /** Resolves when the tasks so far have ended. */
  async idle(): Promise<void> {
    await this.last.catch(() => {});
  }
}
