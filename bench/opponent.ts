import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { type ErrorCode, LeandexError } from '../src/base/errors.js';
import type {
  BuildReport,
  BuildRequest,
  ChangeReport,
  ChangeRequest,
  FilteredRequest,
  Reply,
  ReportOf,
  Request,
  SearchAllReport,
  SearchReport,
  SearchRequest,
  WorkerError,
} from './protocol.js';

/** Copies of a corpus in the JavaScript heap must not end a worker. */
const WORKER_FLAGS = ['--expose-gc', '--max-old-space-size=8192'];

/** By these an engine says that it cannot do what is asked. */
const REFUSALS: readonly string[] = ['INVALID_ARGUMENT', 'UNSUPPORTED'] satisfies ErrorCode[];

/** Processes at work. One in the middle of a build would go on with it when this one is gone. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

type Searches = Omit<SearchRequest, 'type'>;

/** An engine in a process of its own, which takes one request at a time. */
export class Opponent {
  private readonly engine: string;
  private readonly child: ChildProcess;

  /** @throws LeandexError `NOT_FOUND` when the worker is not compiled. */
  constructor(engine: string, threads: number) {
    this.engine = engine;
    // Results go to this process's stdout alone, so whatever an engine prints goes to stderr.
    this.child = fork(workerPath(), [engine], {
      serialization: 'advanced',
      execArgv: WORKER_FLAGS,
      stdio: ['ignore', 2, 2, 'ipc'],
      // Asynchronous calls of native engines run on libuv's threads, 4 unless told.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, threads)) },
    });
    // What goes wrong between two requests makes the next one fail.
    this.child.on('error', () => {});
    const { child } = this;
    alive.add(child);
    child.once('exit', () => alive.delete(child));
  }

  /** @throws LeandexError `UNSUPPORTED` when the engine refuses the settings. */
  build(request: Omit<BuildRequest, 'type'>): Promise<BuildReport> {
    return this.ask<'build'>({ type: 'build', ...request });
  }

  search(request: Searches): Promise<SearchReport> {
    return this.ask<'search'>({ type: 'search', ...request });
  }

  searchAll(request: Searches): Promise<SearchAllReport> {
    return this.ask<'searchAll'>({ type: 'searchAll', ...request });
  }

  /** @throws LeandexError `UNSUPPORTED` when the engine has no filters. */
  searchFiltered(request: Omit<FilteredRequest, 'type'>): Promise<SearchReport> {
    return this.ask<'searchFiltered'>({ type: 'searchFiltered', ...request });
  }

  /** @throws LeandexError `UNSUPPORTED` when the engine cannot delete. */
  change(request: Omit<ChangeRequest, 'type'>): Promise<ChangeReport> {
    return this.ask<'change'>({ type: 'change', ...request });
  }

  close(): void {
    this.child.kill();
  }

  private ask<Type extends Request['type']>(request: Request): Promise<ReportOf[Type]> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const settle = () => {
        child.off('message', onMessage);
        child.off('exit', onExit);
        child.off('error', onError);
      };
      const fail = (error: LeandexError) => {
        settle();
        reject(error);
      };
      const onMessage = (reply: Reply) => {
        if ('error' in reply) {
          fail(this.failure(reply.error, request));
          return;
        }
        settle();
        resolve(reply.report as ReportOf[Type]);
      };
      const onExit = (code: number | null, signal: string | null) => {
        const message = `ended during a ${request.type} request (${signal ?? `exit code ${code}`})`;
        fail(this.failure({ message }, request));
      };
      const onError = ({ message }: Error) =>
        fail(this.failure({ message: `cannot be reached: ${message}` }, request));
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(request);
    });
  }

  private failure({ message, stack, code }: WorkerError, { type }: Request): LeandexError {
    if (
      type !== 'search' &&
      type !== 'searchAll' &&
      code !== undefined &&
      REFUSALS.includes(code)
    ) {
      return new LeandexError('UNSUPPORTED', message, { details: { code } });
    }
    const failed = `the ${this.engine} worker failed: ${message}`;
    return new LeandexError('INTERNAL', failed, { details: { stack } });
  }
}

/** The compiled worker, also when this module itself runs from source. */
function workerPath(): string {
  const path = join(packageFolder(), 'dist', 'bench', 'workers', 'main.js');
  if (existsSync(path)) return path;
  throw new LeandexError('NOT_FOUND', `no compiled worker ${path}: npm run build`, {
    details: { file: path },
  });
}
