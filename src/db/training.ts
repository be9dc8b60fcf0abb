import { Worker } from 'node:worker_threads';
import { LeandexError } from '../base/errors.js';
import { type Progress, type RunOptions, throwIfAborted } from '../base/steps.js';
import { sourceOf } from '../format/container-reader.js';
import { LeanIndex } from '../graph/lean-index.js';
import type { LeanIndexOptions } from '../graph/options.js';

export interface TrainingTask {
  /** Rows, in memory that threads share. */
  sample: Float32Array;
  options: LeanIndexOptions;
}

export type TrainingMessage = { progress: Progress } | { bytes: Uint8Array };

/**
 * LeanIndex.train() in a thread of its own: the eigenvectors of a sample take up to a second or two,
 * in which this thread has better things to do.
 * @throws LeandexError `ABORTED`, `INTERNAL` when the thread fails
 */
export async function trainApart(
  sample: Float32Array,
  options: LeanIndexOptions,
  { signal, onProgress }: RunOptions,
): Promise<LeanIndex> {
  throwIfAborted(signal);
  const workerData: TrainingTask = { sample, options };
  const worker = new Worker(workerFile(), { workerData, execArgv: [] });
  const abort = () => void worker.terminate();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const bytes = await new Promise<Uint8Array>((resolve, reject) => {
      worker.on('message', (message: TrainingMessage) => {
        if ('bytes' in message) resolve(message.bytes);
        else onProgress?.(message.progress);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`it exited with ${code}`)));
    });
    const { byteLength, read } = sourceOf(bytes);
    const source = { byteLength, read: async (into: Uint8Array, at: number) => read(into, at) };
    return (await LeanIndex.load(source, signal ? { signal } : {})).index;
  } catch (cause) {
    throwIfAborted(signal);
    const problem = `the thread that trained failed: ${(cause as Error).message}`;
    throw new LeandexError('INTERNAL', problem, { cause });
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

/** Tests run the sources, whose worker is compiled in dist. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  const file = fromSource ? '../../dist/src/db/train-worker.js' : './train-worker.js';
  return new URL(file, import.meta.url);
}
