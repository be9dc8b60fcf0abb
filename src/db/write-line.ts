import { turnIfDue } from '../base/steps.js';

/** A write in three parts; each may take its time. */
export interface Write<Request, Reply, Result> {
  /** Checks and gathers what is to be written. Nothing has happened if this fails. */
  prepare: () => Promise<Request> | Request;
  /** Hands it to the store, which keeps the order of calls; resolves when it is committed. */
  send: (request: Request) => Promise<Reply>;
  /** Brings what is in memory up to it. */
  apply: (reply: Reply, request: Request) => Promise<Result> | Result;
  /** Whether `prepare` looks at the effects of the writes before it. */
  isDependent?: boolean;
}

/**
 * The writes of a collection in the order of their calls. Many may be on their way to the store at
 * once, which commits them together; they are applied one after the other.
 */
export class WriteLine {
  private sent: Promise<void> = Promise.resolve();
  private applied: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** Writes that are not applied yet. */
  get pending(): number {
    return this.waiting;
  }

  async run<Request, Reply, Result>(write: Write<Request, Reply, Result>): Promise<Result> {
    this.waiting++;
    const turn = this.sent;
    let next = () => {};
    this.sent = new Promise((resolve) => {
      next = resolve;
    });
    try {
      await turn;
      const result = await this.take(write);
      next();
      return await result.value;
    } finally {
      next();
      this.waiting--;
    }
  }

  /** Prepares and sends a write; its result, wrapped so that only preparing is waited for. */
  private async take<Request, Reply, Result>(
    write: Write<Request, Reply, Result>,
  ): Promise<{ value: Promise<Result> }> {
    if (write.isDependent) await this.applied;
    await turnIfDue();
    const request = await write.prepare();
    const reply = write.send(request);
    const before = this.applied;
    const value = before.then(async () => {
      const done = await reply;
      await turnIfDue();
      return write.apply(done, request);
    });
    // A reply that fails while the writes before it are applied has been seen to by then.
    reply.catch(() => {});
    this.applied = value.then(
      () => {},
      () => {},
    );
    return { value };
  }

  /** Resolves when all writes that were sent so far are applied or have failed. */
  applying(): Promise<void> {
    return this.applied;
  }

  /** Resolves when all writes so far are applied or have failed. */
  async settled(): Promise<void> {
    await this.sent;
    await this.applied;
  }
}
