import { parentPort, workerData } from 'node:worker_threads';
import { LeanIndex } from '../graph/lean-index.js';
import type { TrainingMessage, TrainingTask } from './training.js';

/** Trains an empty graph on a sample and tells what it is: what a thread of training.ts does. */
const { sample, options } = workerData as TrainingTask;
const tell = (message: TrainingMessage, transfer: ArrayBuffer[] = []) =>
  parentPort!.postMessage(message, transfer);

const onProgress: NonNullable<Parameters<typeof LeanIndex.train>[1]['onProgress']> = (progress) =>
  tell({ progress });
const index = await LeanIndex.train(sample, { ...options, onProgress });
const bytes = index.toBytes();
await index.close();
tell({ bytes }, [bytes.buffer as ArrayBuffer]);
