import type { GroundTruth } from '../src/eval/ground-truth.js';
import type { BenchCase } from './cases.js';
import type { BenchData } from './data.js';
import type { Journal } from './journal.js';
import type { Machine } from './machine.js';

/** Measurements done, of how many. */
export interface BenchProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** The files, vectors and settings of a run. */
export interface Run {
  readonly benchCase: BenchCase;
  readonly data: BenchData;
  readonly truth: GroundTruth;
  readonly machine: Machine;
  readonly journal: Journal;
  readonly vectorsPath: string;
  readonly queriesPath: string;
  /** A folder of its own, gone after the run. */
  readonly scratch: string;
  readonly cacheFolder: string | undefined;
  readonly repeats: number;
  readonly log: (line: string) => void;
  readonly onProgress: (progress: BenchProgress) => void;
}
