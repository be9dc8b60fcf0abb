import type { Piscina } from 'piscina';
import { LeandexError } from '../base/errors.js';
import type { KernelName } from '../kernels/exports.js';
import type { Kernels } from '../kernels/index.js';
import type { KernelTask } from './worker.js';

/** Not written in the imports, where bundlers for browsers would look for them. */
const POOL_MODULE = 'piscina';
const SYSTEM_MODULE = 'node:os';
/** Threads without a task end after this long; starting one takes some 50 ms. */
const IDLE_MS = 30_000;

/** Whether this engine has worker threads that can share memory with this one: Node has. */
export function hasThreads(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined && typeof SharedArrayBuffer !== 'undefined';
}

/**
 * Threads that call kernels on shared memories. All indexes of a process share one pool, which ends
 * when the last of its users closes.
 */
export class ThreadPool {
  readonly threads: number;
  private readonly piscina: Piscina;

  private constructor(threads: number, piscina: Piscina) {
    this.threads = threads;
    this.piscina = piscina;
  }

  static async start(): Promise<ThreadPool> {
    const [{ Piscina }, { availableParallelism }] = await Promise.all([
      import(POOL_MODULE) as Promise<typeof import('piscina')>,
      import(SYSTEM_MODULE) as Promise<typeof import('node:os')>,
    ]);
    const threads = availableParallelism();
    const piscina = new Piscina({
      filename: workerFile(),
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      recordTiming: false,
    });
    // Without a listener an error outside of a task would end the process; tasks report their own.
    piscina.on('error', () => {});
    return new ThreadPool(threads, piscina);
  }

  /**
   * Calls a kernel in a thread; its results are in the memory.
   * @throws LeandexError `INTERNAL` when the thread dies or the kernel traps: the task alone fails.
   */
  async run(kernels: Kernels, kernel: KernelName, args: readonly number[]): Promise<number> {
    const { module, memory } = kernels as unknown as KernelTask;
    const task: KernelTask = { key: keyOf(kernels), module, memory, kernel, args };
    try {
      return await this.piscina.run(task);
    } catch (cause) {
      const problem = `the thread that ran ${kernel} failed: ${(cause as Error).message}`;
      throw new LeandexError('INTERNAL', problem, { cause });
    }
  }

  async close(): Promise<void> {
    await this.piscina.destroy();
  }
}

/** Tests run the sources, whose worker is compiled in dist. */
function workerFile(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../dist/src/threads/worker.js' : './worker.js', import.meta.url)
    .href;
}

const keys = new WeakMap<Kernels, number>();
let nextKey = 1;

function keyOf(kernels: Kernels): number {
  let key = keys.get(kernels);
  if (key === undefined) {
    key = nextKey++;
    keys.set(kernels, key);
  }
  return key;
}

let shared: Promise<ThreadPool> | undefined;
let users = 0;

/** One user's hold on the pool of the process. */
export class PoolLease {
  private pool: Promise<ThreadPool> | undefined;

  /** The pool, started when it is first needed. */
  get(): Promise<ThreadPool> {
    if (this.pool === undefined) {
      users++;
      shared ??= ThreadPool.start();
      this.pool = shared;
    }
    return this.pool;
  }

  /** Resolves when the threads have ended, if this was the last user of the pool. */
  async release(): Promise<void> {
    const { pool } = this;
    if (pool === undefined) return;
    this.pool = undefined;
    users--;
    if (users > 0) return;
    shared = undefined;
    await (await pool).close();
  }
}
