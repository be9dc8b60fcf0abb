import { Worker } from 'node:worker_threads';
import { LeandexError } from '../base/errors.js';
import { onAbort } from '../base/on-abort.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import type { Arguments, FromThread, OperationName, Result, ToThread } from './protocol.js';
import type { ServiceOptions } from './service.js';
import { buffersOf } from './transfer.js';
import { fromWire, toWire } from './wire-error.js';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  onProgress: RunOptions['onProgress'];
}

/** A thread with its own connections. Calls are done in their order; the process need not wait. */
export class StoreThread {
  /** Of the store that it has open. */
  readonly storeId: string;
  /** Resolves with why the thread ended, if it was not told to. */
  readonly lost: Promise<Error>;
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly closed: Promise<Error | undefined>;
  private nextId = 0;
  private end: Error | undefined;

  private constructor(worker: Worker, storeId: string) {
    this.worker = worker;
    this.storeId = storeId;
    let endClosed: (error: Error | undefined) => void;
    this.closed = new Promise((resolve) => {
      endClosed = resolve;
    });
    this.lost = new Promise((resolve) => {
      const fail = (cause: Error) => {
        if (this.end !== undefined) return;
        this.end = new LeandexError('INTERNAL', `a thread of the store died: ${cause.message}`, {
          cause,
        });
        this.failPending(this.end);
        endClosed(undefined);
        resolve(this.end);
      };
      worker.on('error', fail);
      worker.on('exit', (code) => fail(new Error(`it exited with ${code}`)));
    });
    worker.on('message', (message: FromThread) => {
      if (message.kind !== 'closed') return this.receive(message);
      this.end ??= closedError();
      // Calls that came after the order to close.
      this.failPending(this.end);
      endClosed(message.error && fromWire(message.error));
    });
    worker.unref();
  }

  /** @throws what opening in the thread throws: LeandexError `BUSY`, `CORRUPT`, ... */
  static async start(options: ServiceOptions): Promise<StoreThread> {
    // Options of the command line, such as --input-type, are for the program, not for its threads.
    const worker = new Worker(workerFile(), { workerData: options, execArgv: [] });
    const storeId = await new Promise<string>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromThread) => {
        if (message.kind === 'ready') resolve(message.storeId);
        else if (message.kind === 'closed') reject(fromWire(message.error!));
      });
    });
    worker.removeAllListeners('error');
    return new StoreThread(worker, storeId);
  }

  /**
   * @param folder of the collection; undefined for operations of the store
   * @throws what the operation throws; LeandexError `INTERNAL` when the thread dies, `CLOSED`
   * @throws LeandexError `ABORTED` once the signal fires, if the operation is one in steps
   */
  async call<N extends OperationName>(
    folder: string | undefined,
    name: N,
    args: Arguments<N>,
    { signal, onProgress }: RunOptions = {},
  ): Promise<Result<N>> {
    throwIfAborted(signal);
    if (this.end !== undefined) throw this.end;
    const id = this.nextId++;
    const stopWaiting = onAbort(signal, () => this.send({ kind: 'abort', id }));
    try {
      const value = await new Promise((resolve, reject) => {
        this.pending.set(id, { resolve, reject, onProgress });
        this.worker.ref();
        const call = { kind: 'call', id, folder, name, args: args as unknown[] } as const;
        this.send(call, buffersOf(args));
      });
      return value as Result<N>;
    } finally {
      stopWaiting();
    }
  }

  /** From now on the thread writes nothing. */
  refuse(error: Error): void {
    if (this.end === undefined) this.send({ kind: 'refuse', error: toWire(error) });
  }

  /** Waits for what was called, then closes everything and ends the thread. */
  async close(): Promise<void> {
    if (this.end === undefined) {
      this.worker.ref();
      this.send({ kind: 'close' });
    }
    const error = await this.closed;
    await this.worker.terminate();
    if (error !== undefined) throw error;
  }

  private send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private receive(message: Exclude<FromThread, { kind: 'closed' }>): void {
    if (message.kind === 'ready') return;
    const pending = this.pending.get(message.id);
    if (pending === undefined) return;
    if (message.kind === 'progress') {
      try {
        pending.onProgress?.(message.progress);
      } catch (error) {
        this.forget(message.id);
        pending.reject(error as Error);
        this.send({ kind: 'abort', id: message.id });
      }
      return;
    }
    this.forget(message.id);
    if (message.kind === 'value') pending.resolve(message.value);
    else pending.reject(fromWire(message.error));
  }

  private forget(id: number): void {
    this.pending.delete(id);
    if (this.pending.size === 0) this.worker.unref();
  }

  private failPending(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

export function closedError(): LeandexError {
  return new LeandexError('CLOSED', 'the store is closed');
}

/** Tests run the sources, whose worker is compiled in dist. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  const file = fromSource ? '../../dist/src/store/worker.js' : './worker.js';
  return new URL(file, import.meta.url);
}
