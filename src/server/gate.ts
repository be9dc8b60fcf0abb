import { refused } from './errors.js';

/** Lets so many requests work at once; so many more wait, in order, and the rest are refused. */
export class Gate {
  private readonly concurrent: number;
  private readonly queue: number;
  private readonly waiting = new Set<() => void>();
  private working = 0;

  constructor(concurrent: number, queue: number) {
    this.concurrent = concurrent;
    this.queue = queue;
  }

  get counts(): { working: number; waiting: number } {
    return { working: this.working, waiting: this.waiting.size };
  }

  /**
   * Resolves when it is the caller's turn, to a function that ends it. One that goes away meanwhile
   * gives its place to the next.
   * @throws 429 where too many wait
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.working < this.concurrent) {
      this.working++;
    } else {
      if (this.waiting.size >= this.queue) {
        throw refused(429, 'Rate limiting exceeded: too many requests wait', 1);
      }
      await this.turn(signal);
    }
    let isIn = true;
    return () => {
      if (isIn) this.leave();
      isIn = false;
    };
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        signal.removeEventListener('abort', goAway);
        resolve();
      };
      const goAway = () => {
        this.waiting.delete(give);
        reject(refused(408, 'Timeout: the request waited too long for its turn'));
      };
      this.waiting.add(give);
      signal.addEventListener('abort', goAway, { once: true });
    });
  }

  private leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.working--;
      return;
    }
    // The place goes on to the next.
    this.waiting.delete(next);
    next();
  }
}
