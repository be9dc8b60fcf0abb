/** Lets a limited number of tasks in at a time; the others wait, first come, first served. */
export class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  /** Runs a task as soon as fewer than `limit` are under way. */
  async run<T>(limit: number, task: () => Promise<T>): Promise<T> {
    if (this.inside < limit) this.inside++;
    else await new Promise<void>((enter) => this.waiting.push(enter));
    try {
      return await task();
    } finally {
      // Whoever waits takes over the place.
      const next = this.waiting.shift();
      if (next === undefined) this.inside--;
      else next();
    }
  }
}
