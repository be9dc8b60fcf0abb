/** Something that was given up while it may still have been in use. */
interface Retired {
  /** The last hold that may know of it. */
  lastHold: number;
  free: () => void;
}

/**
 * Who reads a memory now, and what is to be freed after them: each thing once all have ended that
 * began before it was given up. So readers that follow each other without a gap delay nothing for
 * good.
 */
export class Holds {
  /** Running ones, in the order of their beginnings. */
  private readonly running = new Set<number>();
  private last = 0;
  /** In the order in which they were given up. */
  private retired: Retired[] = [];

  /** Begins a hold, which the function that this returns ends. */
  begin(): () => void {
    const hold = ++this.last;
    this.running.add(hold);
    return () => {
      if (this.running.delete(hold)) this.freeUnheld();
    };
  }

  get areRunning(): boolean {
    return this.running.size > 0;
  }

  /** Frees something as soon as no hold of now runs: at once if none does. */
  retire(free: () => void): void {
    this.retired.push({ lastHold: this.last, free });
    this.freeUnheld();
  }

  private freeUnheld(): void {
    const [oldest = Infinity] = this.running;
    const held = this.retired.findIndex(({ lastHold }) => lastHold >= oldest);
    const freed = this.retired.splice(0, held < 0 ? this.retired.length : held);
    for (const { free } of freed) free();
  }
}
