import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { LeandexError } from '../src/base/errors.js';
import type { Contender, EngineName } from './cases.js';
import type {
  BuildReport,
  BuildRequest,
  Reply,
  ReportOf,
  Request,
  SearchReport,
  SearchRequest,
} from './protocol.js';

/** Copies of a corpus in the JavaScript heap must not end a worker. */
const WORKER_FLAGS = ['--expose-gc', '--max-old-space-size=8192'];

/**
 * The version of an engine's package.
 * @throws LeandexError `NOT_FOUND` when it is not installed.
 */
export function engineVersion(engine: EngineName): string {
  const path = engine === 'leandex' ? join(packageFolder(), 'package.json') : manifestOf(engine);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function manifestOf(engine: EngineName): string {
  try {
    return createRequire(import.meta.url).resolve(`${engine}/package.json`);
  } catch (cause) {
    throw new LeandexError(
      'NOT_FOUND',
      `${engine} is not installed: the benchmarks compare with it, and it comes with the ` +
        "repository's development dependencies (npm install)",
      { details: { package: engine }, cause },
    );
  }
}

/** The compiled worker of an engine, also when this module itself runs from source. */
function workerPath(engine: EngineName): string {
  const path = join(packageFolder(), 'dist', 'bench', 'workers', `${engine}.js`);
  if (existsSync(path)) return path;
  throw new LeandexError('NOT_FOUND', `no compiled worker ${path}: npm run build`, {
    details: { file: path },
  });
}

/** An engine in a process of its own, which takes one request at a time. */
export class Opponent {
  readonly contender: Contender;
  readonly version: string;
  private readonly child: ChildProcess;

  /** @throws LeandexError `NOT_FOUND` when the engine is not installed or the worker not built. */
  constructor(contender: Contender) {
    this.contender = contender;
    this.version = engineVersion(contender.engine);
    // Results go to this process's stdout alone, so whatever an engine prints goes to stderr.
    this.child = fork(workerPath(contender.engine), {
      serialization: 'advanced',
      execArgv: WORKER_FLAGS,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    // What goes wrong between two requests makes the next one fail.
    this.child.on('error', () => {});
  }

  build(request: Omit<BuildRequest, 'type'>): Promise<BuildReport> {
    return this.ask<'build'>({ type: 'build', ...request });
  }

  search(request: Omit<SearchRequest, 'type'>): Promise<SearchReport> {
    return this.ask<'search'>({ type: 'search', ...request });
  }

  close(): void {
    this.child.kill();
  }

  private ask<Type extends Request['type']>(request: Request): Promise<ReportOf[Type]> {
    const { child } = this;
    const { engine } = this.contender;
    return new Promise((resolve, reject) => {
      const settle = () => {
        child.off('message', onMessage);
        child.off('exit', onExit);
        child.off('error', onError);
      };
      const fail = (message: string, details: Record<string, unknown>) => {
        settle();
        reject(new LeandexError('INTERNAL', `the ${engine} worker ${message}`, { details }));
      };
      const onMessage = (reply: Reply) => {
        if ('error' in reply) {
          fail(`failed: ${reply.error.message}`, { stack: reply.error.stack });
          return;
        }
        settle();
        resolve(reply.report as ReportOf[Type]);
      };
      const onExit = (code: number | null, signal: string | null) =>
        fail(`ended during a ${request.type} request (${signal ?? `exit code ${code}`})`, {});
      const onError = (error: Error) => fail(`cannot be reached: ${error.message}`, {});
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(request);
    });
  }
}
