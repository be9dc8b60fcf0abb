import { readMatrix } from '../../datasets/matrix.js';
import { readNpy } from '../../datasets/npy.js';
import { LeandexError } from '../../src/base/errors.js';
import type { Engine, EngineModule } from '../engine.js';
import type {
  BuildReport,
  BuildRequest,
  ChangeReport,
  ChangeRequest,
  FilteredRequest,
  Reply,
  ReportOf,
  Request,
  SearchRequest,
  WorkerError,
} from '../protocol.js';
import { buildOrLoad } from './build.js';
import { measureAll, measureSearches, startClock } from './measure.js';

/** Answers the requests of the parent process with an engine, until the parent goes away. */
export function serve({ create }: EngineModule): void {
  let engine: Engine | undefined;
  let preparedPath: string | undefined;

  const build = async (request: BuildRequest): Promise<BuildReport> => {
    const made = await buildOrLoad(create, request);
    engine = made.engine;
    const searchThreads = engine.searchAll === undefined ? 1 : request.threads;
    return { ...made.report, searchThreads };
  };

  const built = (): Engine => {
    if (engine === undefined) throw new Error('a request came before the build');
    return engine;
  };

  const search = (
    request: SearchRequest | FilteredRequest,
  ): ReportOf['search'] | Promise<ReportOf['searchAll']> => {
    const searched = built();
    const queries = readMatrix(request.queriesPath);
    if (preparedPath !== request.queriesPath) {
      searched.prepare(queries);
      preparedPath = request.queriesPath;
    }
    const { k, ef, warmupMs, measureMs } = request;
    const plan = { count: queries.count, k, warmupMs, measureMs };
    if (request.type === 'search') return measureSearches(searched.searcher(k, ef), plan);
    if (request.type === 'searchFiltered') {
      const { filteredSearcher } = searched;
      if (filteredSearcher === undefined) throw cannot('filter');
      return measureSearches(filteredSearcher(k, ef, request.filter), plan);
    }
    const { searchAll } = searched;
    if (searchAll === undefined) throw new Error('this engine searches on one thread only');
    return measureAll(() => searchAll(k, ef), plan);
  };

  const change = async (request: ChangeRequest): Promise<ChangeReport> => {
    const { change: apply, describe } = built();
    if (apply === undefined) throw cannot('delete');
    const removed = readIds(request.removedPath);
    const ids = readIds(request.idsPath);
    const rows = readMatrix(request.vectorsPath);
    const clock = startClock();
    await apply(removed, ids, rows);
    const seconds = clock.milliseconds() / 1000;
    return { seconds, bytesPerVector: describe().bytesPerVector };
  };

  const answer = (
    request: Request,
  ): ReportOf[keyof ReportOf] | Promise<ReportOf[keyof ReportOf]> => {
    if (request.type === 'build') return build(request);
    return request.type === 'change' ? change(request) : search(request);
  };

  process.on('message', async (request: Request) => {
    try {
      reply({ report: await answer(request) });
    } catch (error) {
      const { message, stack, code } = error as WorkerError;
      reply({ error: { message, stack, code } });
    }
  });
}

function readIds(path: string): Uint32Array {
  return readNpy(path).data as Uint32Array;
}

function cannot(what: string): LeandexError {
  return new LeandexError('UNSUPPORTED', `this engine, as it is bound here, cannot ${what}`);
}

function reply(message: Reply): void {
  // Nobody listens any more when the run was interrupted.
  process.send!(message, undefined, undefined, (error) => {
    if (error !== null) process.exit();
  });
}
