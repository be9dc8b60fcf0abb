import type { GroundTruth } from '../src/eval/ground-truth.js';
import type { BenchCase } from './cases.js';
import type { BenchData } from './data.js';
import type { Machine } from './machine.js';

/** The files and vectors of a run. */
export interface Run {
  readonly benchCase: BenchCase;
  readonly data: BenchData;
  readonly truth: GroundTruth;
  readonly machine: Machine;
  readonly vectorsPath: string;
  readonly queriesPath: string;
  readonly repeats: number;
  readonly cacheFolder: string | undefined;
  readonly log: (line: string) => void;
}
