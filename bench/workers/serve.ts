import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readMatrix } from '../../datasets/matrix.js';
import type {
  BuildReport,
  BuildRequest,
  Reply,
  Request,
  SearchReport,
  SearchRequest,
} from '../protocol.js';
import type { Engine, EngineContext } from './engine.js';
import { measureSearches } from './measure.js';

/**
 * Beside an index in the cache; its presence says that the index is whole. JSON, but not by its
 * name: linters read all .json files, those outside of git too.
 */
interface CacheNote {
  readonly buildSeconds: number;
}

/** Answers the requests of the parent process with an engine, until the parent goes away. */
export function serve<Settings>(create: (context: EngineContext<Settings>) => Engine): void {
  let engine: Engine | undefined;
  let preparedPath: string | undefined;

  const build = async (request: BuildRequest): Promise<BuildReport> => {
    const before = await residentBytes();
    const made = await buildOrLoad(create as (context: EngineContext) => Engine, request);
    engine = made.engine;
    const rssBytes = (await residentBytes()) - before;
    return { ...made.report, rssBytes, ...engine.describe() };
  };

  const search = (request: SearchRequest): SearchReport => {
    if (engine === undefined) throw new Error('a search came before the build');
    const queries = readMatrix(request.queriesPath);
    if (preparedPath !== request.queriesPath) {
      engine.prepare(queries);
      preparedPath = request.queriesPath;
    }
    const { k, ef, warmupMs, measureMs } = request;
    const plan = { count: queries.count, k, warmupMs, measureMs };
    return measureSearches(engine.searcher(k, ef), plan);
  };

  process.on('message', async (request: Request) => {
    try {
      const report = request.type === 'build' ? await build(request) : search(request);
      reply({ report });
    } catch (error) {
      const { message, stack } = error as Error;
      reply({ error: { message, stack } });
    }
  });
}

async function buildOrLoad(
  create: (context: EngineContext) => Engine,
  { vectorsPath, distance, settings, cachePath }: BuildRequest,
): Promise<{
  engine: Engine;
  report: Omit<BuildReport, 'rssBytes' | 'bytesPerVector' | 'resolved'>;
}> {
  const vectors = readMatrix(vectorsPath);
  const engine = create({ dimensions: vectors.dimensions, distance, settings });
  if (cachePath === undefined) {
    return { engine, report: { buildSeconds: await engine.build(vectors), cached: false } };
  }
  const indexPath = `${cachePath}.index`;
  const notePath = `${cachePath}.note`;
  const cached = existsSync(notePath);
  if (cached) engine.load(indexPath);
  const { buildSeconds }: CacheNote = cached
    ? JSON.parse(readFileSync(notePath, 'utf8'))
    : { buildSeconds: await engine.build(vectors) };
  if (!cached) store(engine, indexPath, notePath, { buildSeconds });
  return { engine, report: { buildSeconds, cached, indexBytes: statSync(indexPath).size } };
}

function store(engine: Engine, indexPath: string, notePath: string, note: CacheNote): void {
  mkdirSync(dirname(indexPath), { recursive: true });
  engine.save(indexPath);
  writeFileSync(`${notePath}.part`, JSON.stringify(note));
  renameSync(`${notePath}.part`, notePath);
}

/**
 * Resident memory outside of the JavaScript heap, where neither engine keeps its index; the heap
 * stays as large as garbage once made it. A collection hands the memory of typed arrays to another
 * thread to free, and the next one waits for that. Workers run with --expose-gc.
 */
async function residentBytes(): Promise<number> {
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  const { rss, heapTotal } = process.memoryUsage();
  return rss - heapTotal;
}

function reply(message: Reply): void {
  process.send!(message);
}
