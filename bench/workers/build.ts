import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { readMatrix } from '../../datasets/matrix.js';
import type { Engine, EngineModule } from '../engine.js';
import type { BuildReport, BuildRequest } from '../protocol.js';
import { startClock } from './measure.js';

/**
 * Beside an index in the cache; its presence says that the index is whole. JSON, but not by its
 * name: linters read all .json files, those outside of git too.
 */
type CacheNote = Pick<BuildReport, 'buildSeconds' | 'buildThreads' | 'buildCpuSeconds'>;

/** The engine with its index, from the cache where it lies there. */
export async function buildOrLoad(
  create: EngineModule['create'],
  request: BuildRequest,
): Promise<{ engine: Engine; report: Omit<BuildReport, 'searchThreads'> }> {
  const { dimensions, distance, settings, search, efs, threads, filters = [], scratch } = request;
  mkdirSync(scratch, { recursive: true });
  const context = { dimensions, distance, settings, search, efs, threads, filters, scratch };
  const engine = await create(context);
  const before = await residentBytes();
  const made = await fill(engine, request);
  const description = engine.describe();
  const rssBytes = (await residentBytes()) - before;
  return { engine, report: { ...made, rssBytes, ...description } };
}

async function fill(
  engine: Engine,
  { vectorsPath, cachePath }: BuildRequest,
): Promise<CacheNote & Pick<BuildReport, 'cached' | 'indexBytes'>> {
  const { save, load } = engine;
  if (cachePath === undefined || save === undefined || load === undefined) {
    return { ...(await build(engine, vectorsPath)), cached: false };
  }
  const indexPath = `${cachePath}.index`;
  const notePath = `${cachePath}.note`;
  if (existsSync(notePath)) {
    load(indexPath);
    const note: CacheNote = JSON.parse(readFileSync(notePath, 'utf8'));
    return { ...note, cached: true, indexBytes: bytesAt(indexPath) };
  }
  const note = await build(engine, vectorsPath);
  mkdirSync(dirname(indexPath), { recursive: true });
  // What an interrupted run left; an engine may refuse to write over it.
  rmSync(indexPath, { recursive: true, force: true });
  save(indexPath);
  writeFileSync(`${notePath}.part`, JSON.stringify(note));
  renameSync(`${notePath}.part`, notePath);
  return { ...note, cached: false, indexBytes: bytesAt(indexPath) };
}

async function build(engine: Engine, vectorsPath: string): Promise<CacheNote> {
  const vectors = readMatrix(vectorsPath);
  const clock = startClock();
  const { seconds, threads } = await engine.build(vectors);
  return { buildSeconds: seconds, buildThreads: threads, buildCpuSeconds: clock.cpuSeconds() };
}

/** Bytes of a file, or of all files of a folder. */
function bytesAt(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesAt(join(path, name)), 0);
}

/**
 * Resident memory outside of the JavaScript heap, where no engine keeps its index; the heap stays
 * as large as garbage once made it. A collection hands the memory of typed arrays to another thread
 * to free, and the next one waits for that. Workers run with --expose-gc.
 */
async function residentBytes(): Promise<number> {
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  const { rss, heapTotal } = process.memoryUsage();
  return rss - heapTotal;
}
