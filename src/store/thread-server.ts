import type { MessagePort } from 'node:worker_threads';
import { LeandexError } from '../base/errors.js';
import { type Progress, runSteps, type Steps } from '../base/steps.js';
import { flush } from './checkpoint.js';
import type { CollectionFile } from './collection-file.js';
import { commitGroup } from './group-commit.js';
import { pointsPath } from './layout.js';
import { inMoments, inOneMoment } from './one-moment.js';
import { READS, STORE, WRITES } from './operations.js';
import type { CallMessage, FromThread, OperationName, ToThread } from './protocol.js';
import { checkpointIfDue, closeService, fileOf, type Service } from './service.js';
import { storeError } from './sqlite-errors.js';
import { buffersOf } from './transfer.js';
import { fromWire, toWire } from './wire-error.js';

/** So many writes at most share a transaction: more would keep the first ones waiting. */
const GROUP_MAX = 64;
/** In mode `batched` nothing stays unsynced for longer. */
const FLUSH_MS = 900;

type Operation = (target: CollectionFile | Service, ...args: unknown[]) => unknown;

const WRITES_BY_NAME = WRITES as unknown as Readonly<Record<string, Operation>>;
const READS_BY_NAME = READS as unknown as Readonly<Record<string, Operation>>;
const STORE_BY_NAME = STORE as unknown as Readonly<Record<string, Operation>>;

/** Operations besides the writes that need a disk that can be relied on. */
const CHANGES: ReadonlySet<string> = new Set<OperationName>([
  'create',
  'adopt',
  'replace',
  'setConfig',
  'removeCollection',
  'flush',
  'reclaim',
]);

/** Reads of rows, of which a point has several. */
const MOMENTARY: ReadonlySet<string> = new Set<OperationName>([
  'searchTexts',
  'state',
  'rowsOf',
  'read',
  'readVectors',
  'list',
  'page',
  'match',
  'scan',
  'scores',
]);

/** The state of a thread that serves. */
interface Server {
  service: Service;
  port: MessagePort;
  /** Of long operations. */
  running: Map<number, { abort: AbortController; ended: Promise<void> }>;
  /** Why nothing is written any more. */
  refusal: unknown;
  /** Files with commits that are not synced yet. */
  unsynced: Set<CollectionFile>;
  flushTimer: NodeJS.Timeout | undefined;
}

/** Answers messages until told to close. `next` gives one that already waits. */
export function serve(service: Service, port: MessagePort, next: () => ToThread | undefined): void {
  const server: Server = {
    service,
    port,
    running: new Map(),
    refusal: undefined,
    unsynced: new Set(),
    flushTimer: undefined,
  };
  port.on('message', (first: ToThread) => {
    let group: CallMessage[] = [];
    let message: ToThread | undefined = first;
    for (let i = 1; message !== undefined; i++) {
      if (message.kind === 'call' && message.name in WRITES) {
        group.push(message);
      } else {
        commit(server, group);
        group = [];
        handle(server, message);
      }
      // Timers and long reads want their turn too: the rest comes as another event.
      message = i < GROUP_MAX ? next() : undefined;
    }
    commit(server, group);
  });
}

function handle(server: Server, message: ToThread): void {
  if (message.kind === 'abort') server.running.get(message.id)?.abort.abort();
  else if (message.kind === 'refuse') server.refusal ??= fromWire(message.error);
  else if (message.kind === 'close') void close(server);
  else call(server, message);
}

/** Runs waiting writes, those of each collection in one transaction, in their order. */
function commit(server: Server, group: readonly CallMessage[]): void {
  const byFolder = new Map<string, CallMessage[]>();
  for (const call of group)
    byFolder.set(call.folder!, [...(byFolder.get(call.folder!) ?? []), call]);
  for (const [folder, calls] of byFolder) {
    let file: CollectionFile;
    try {
      checkAccepting(server);
      file = fileOf(server.service, folder);
    } catch (error) {
      for (const { id } of calls) fail(server, id, error, folder);
      continue;
    }
    const outcomes = commitGroup(
      file,
      calls.map(
        ({ name, args }) =>
          () =>
            WRITES_BY_NAME[name]!(file, ...args),
      ),
    );
    calls.forEach(({ id }, i) => {
      const outcome = outcomes[i]!;
      if ('value' in outcome) answer(server, id, outcome.value);
      else fail(server, id, noteFailure(server, outcome.error, file.path), file.path);
    });
    afterCommit(server, file);
  }
}

/** What is due after a commit; its failure is that of the next write. */
function afterCommit(server: Server, file: CollectionFile): void {
  const { durability } = server.service.options;
  if (durability !== 'always') server.unsynced.add(file);
  if (durability === 'batched') server.flushTimer ??= setTimeout(() => flushAll(server), FLUSH_MS);
  try {
    checkpointIfDue(file);
  } catch (error) {
    noteFailure(server, error, file.path);
  }
}

function flushAll(server: Server): void {
  server.flushTimer = undefined;
  for (const file of server.unsynced) {
    try {
      flush(file);
    } catch (error) {
      noteFailure(server, error, file.path);
    }
  }
  server.unsynced.clear();
}

/**
 * After a failed write or sync nobody knows what is on the disk, and a second try may seem to
 * succeed: nothing is written any more until the store is opened anew.
 */
function noteFailure(server: Server, error: unknown, path: string): unknown {
  const failure = storeError(error, path);
  if ((failure as { code?: unknown }).code === 'IO_ERROR') server.refusal ??= failure;
  return failure;
}

function checkAccepting({ refusal }: Server): void {
  if (refusal === undefined) return;
  const problem = `nothing is written after a failure until the store is opened anew: ${(refusal as Error).message}`;
  throw new LeandexError('IO_ERROR', problem, { cause: refusal });
}

/** One operation by itself; a long one runs on in slices while others get their turn. */
function call(server: Server, { id, folder, name, args }: CallMessage): void {
  const { service } = server;
  const path =
    folder === undefined ? service.catalog.path : pointsPath(service.options.path, folder);
  try {
    if (CHANGES.has(name)) checkAccepting(server);
    const value =
      folder === undefined
        ? STORE_BY_NAME[name]!(service, ...args)
        : readOf(fileOf(service, folder), name, args);
    if (isSteps(value)) run(server, id, value, path);
    else answer(server, id, value);
  } catch (error) {
    fail(server, id, CHANGES.has(name) ? noteFailure(server, error, path) : error, path);
  }
}

/** What belongs together is read at one moment; long work sees to that by itself. */
function readOf(file: CollectionFile, name: string, args: readonly unknown[]): unknown {
  const operation = READS_BY_NAME[name]!;
  if (!MOMENTARY.has(name)) return operation(file, ...args);
  const value = inOneMoment(file, () => operation(file, ...args));
  return isSteps(value) ? inMoments(file, value) : value;
}

function isSteps(value: unknown): value is Steps<unknown> {
  return typeof (value as { next?: unknown } | undefined)?.next === 'function';
}

function run(server: Server, id: number, steps: Steps<unknown>, path: string): void {
  const abort = new AbortController();
  const onProgress = (progress: Progress) => send(server, { kind: 'progress', id, progress });
  const ended = runSteps(steps, { onProgress, signal: abort.signal })
    .then(
      (value) => answer(server, id, value),
      (error) => fail(server, id, error, path),
    )
    .finally(() => server.running.delete(id));
  server.running.set(id, { abort, ended });
}

function answer(server: Server, id: number, value: unknown): void {
  send(server, { kind: 'value', id, value }, buffersOf(value));
}

function fail(server: Server, id: number, error: unknown, path: string): void {
  send(server, { kind: 'error', id, error: toWire(storeError(error, path)) });
}

function send({ port }: Server, message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function close(server: Server): Promise<void> {
  await Promise.all([...server.running.values()].map(({ ended }) => ended));
  clearTimeout(server.flushTimer);
  try {
    closeService(server.service);
    send(server, { kind: 'closed' });
  } catch (error) {
    send(server, { kind: 'closed', error: toWire(storeError(error, server.service.options.path)) });
  }
  server.port.close();
}
