import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const STORE = join(import.meta.dirname, '../../dist/src/store/store.js');

/** A process of its own that runs a program with `Store` and the store's `path` at hand. */
export class Child {
  readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(program: string, path: string) {
    const head = `import { Store } from ${JSON.stringify(STORE)}; const path = process.argv[1];`;
    this.process = spawn(process.execPath, ['--input-type=module', '-e', head + program, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
    onTestFinished(() => this.kill());
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    return (await this.lines.next()).value;
  }

  /** Lets a program go on that waits for its input. */
  say(text: string): void {
    this.process.stdin!.write(`${text}\n`);
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async exited(): Promise<number | null> {
    if (this.process.exitCode === null) await once(this.process, 'exit');
    return this.process.exitCode;
  }
}
