import type { Progress } from '../base/steps.js';
import type { READS, STORE, WRITES } from './operations.js';
import type { WireError } from './wire-error.js';

/** The operations by name, with what they are given besides the file or store, and their result. */
export type Operations = typeof WRITES & typeof READS & typeof STORE;
export type OperationName = keyof Operations;

// biome-ignore lint/suspicious/noExplicitAny: matches the parameters of any function
type AnyFunction = (first: any, ...rest: any[]) => unknown;
type Rest<F> = F extends (first: never, ...rest: infer R) => unknown ? R : never;
type Outcome<R> = R extends Generator<unknown, infer T, void> ? T : R;

export type Arguments<N extends OperationName> = Rest<Operations[N]>;
export type Result<N extends OperationName> = Outcome<
  ReturnType<Operations[N] extends AnyFunction ? Operations[N] : never>
>;

/**
 * To a thread: an operation, the abort of one, the order to write nothing any more, or to close
 * everything and end.
 */
export type ToThread =
  | { kind: 'call'; id: number; folder: string | undefined; name: OperationName; args: unknown[] }
  | { kind: 'abort'; id: number }
  | { kind: 'refuse'; error: WireError }
  | { kind: 'close' };

export type CallMessage = Extract<ToThread, { kind: 'call' }>;

/** From a thread: ready at first, then answers, at last that everything is closed. */
export type FromThread =
  | { kind: 'ready'; storeId: string }
  | { kind: 'value'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; id: number; progress: Progress }
  | { kind: 'closed'; error?: WireError };
