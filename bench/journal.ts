import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

const BEGUN = 'begun';

/**
 * What a run has measured so far, a line of JSON for each, so that one that was interrupted goes on
 * where it stopped. Without a path it remembers nothing beyond this process.
 */
export class Journal {
  /** When the run began. */
  readonly begun: string;
  /** Entries that an earlier, interrupted run left. */
  readonly resumed: number;
  private readonly path: string | undefined;
  private readonly earlier = new Map<string, unknown>();

  constructor(path?: string) {
    this.path = path;
    const text = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
    for (const { key, value } of readLines(text)) this.earlier.set(key, value);
    const begun = this.earlier.get(BEGUN) as string | undefined;
    this.begun = begun ?? new Date().toISOString();
    this.earlier.delete(BEGUN);
    this.resumed = this.earlier.size;
    // Behind a line that is not whole the next one must begin anew.
    if (text !== '' && !text.endsWith('\n')) appendFileSync(path!, '\n');
    if (begun === undefined) this.write(BEGUN, this.begun);
  }

  /** What an earlier run measured under that key; undefined when there is no such thing. */
  read<Value>(key: string): Value | undefined {
    return this.earlier.get(key) as Value | undefined;
  }

  write(key: string, value: unknown): void {
    if (this.path === undefined) return;
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, `${JSON.stringify({ key, value })}\n`);
  }

  /** Called when the run is complete: the next one begins anew. */
  remove(): void {
    if (this.path !== undefined) rmSync(this.path, { force: true });
  }
}

/** The whole lines; a run can be killed while it writes one. */
function readLines(text: string): { key: string; value: unknown }[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
