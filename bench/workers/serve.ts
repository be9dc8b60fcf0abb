import { readMatrix } from '../../datasets/matrix.js';
import type { Engine, EngineModule } from '../engine.js';
import type {
  BuildReport,
  BuildRequest,
  Reply,
  ReportOf,
  Request,
  SearchRequest,
  WorkerError,
} from '../protocol.js';
import { buildOrLoad } from './build.js';
import { measureAll, measureSearches } from './measure.js';

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

  const search = (request: SearchRequest): ReportOf['search'] | Promise<ReportOf['searchAll']> => {
    if (engine === undefined) throw new Error('a search came before the build');
    const queries = readMatrix(request.queriesPath);
    if (preparedPath !== request.queriesPath) {
      engine.prepare(queries);
      preparedPath = request.queriesPath;
    }
    const { k, ef, warmupMs, measureMs } = request;
    const plan = { count: queries.count, k, warmupMs, measureMs };
    if (request.type === 'search') return measureSearches(engine.searcher(k, ef), plan);
    const { searchAll } = engine;
    if (searchAll === undefined) throw new Error('this engine searches on one thread only');
    return measureAll(() => searchAll(k, ef), plan);
  };

  process.on('message', async (request: Request) => {
    try {
      reply({ report: await (request.type === 'build' ? build(request) : search(request)) });
    } catch (error) {
      const { message, stack, code } = error as WorkerError;
      reply({ error: { message, stack, code } });
    }
  });
}

function reply(message: Reply): void {
  // Nobody listens any more when the run was interrupted.
  process.send!(message, undefined, undefined, (error) => {
    if (error !== null) process.exit();
  });
}
