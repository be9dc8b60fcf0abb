/** A point that is written: what its payload says, or that it is not there. */
type State = number | undefined;

/** What a client has been told of the points that it alone writes. */
export class Ledger {
  private readonly acknowledged = new Map<number, State>();
  /** Points that a write under way may have changed, with what it makes of them. */
  private underWay = new Map<number, State>();

  begin(changes: ReadonlyMap<number, State>): void {
    this.underWay = new Map(changes);
  }

  acknowledge(): void {
    for (const [id, state] of this.underWay) this.acknowledged.set(id, state);
    this.underWay.clear();
  }

  /** Points that are neither as they were acknowledged nor as the write under way makes them. */
  lost(found: ReadonlyMap<number, number>): number[] {
    const ids = new Set([...this.acknowledged.keys(), ...this.underWay.keys()]);
    return [...ids].filter((id) => {
      const state = found.get(id);
      if (state === this.acknowledged.get(id)) return false;
      return !this.underWay.has(id) || state !== this.underWay.get(id);
    });
  }

  get size(): number {
    return this.acknowledged.size;
  }
}
