/** Changes that are remembered. */
const LOG_SIZE = 1024;

/** The last slots whose content changed, so that what was derived from them can follow. */
export class ChangeLog {
  /** How many changes there have been. */
  version = 0;
  private readonly shards = new Uint8Array(LOG_SIZE);
  private readonly slots = new Uint32Array(LOG_SIZE);

  add(shard: number, slot: number): void {
    const at = this.version % LOG_SIZE;
    this.shards[at] = shard;
    this.slots[at] = slot;
    this.version++;
  }

  /**
   * Visits the slots that changed after a version, in order, some perhaps more than once.
   * @returns false, visiting nothing, where that is too long ago.
   */
  replay(since: number, visit: (shard: number, slot: number) => void): boolean {
    if (this.version - since > LOG_SIZE) return false;
    for (let version = since; version < this.version; version++) {
      const at = version % LOG_SIZE;
      visit(this.shards[at]!, this.slots[at]!);
    }
    return true;
  }
}
