import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { packageFolder } from '../datasets/package-folder.js';
import { type KernelVariant, kernelVariant } from '../src/kernels/index.js';

/** What a result depends on besides the code; no host name, user name or path. */
export interface Machine {
  readonly cpu: string;
  /** Those that this process may use. */
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly kernel: KernelVariant;
  /** Processes that wanted to run in the minute before the case: near 0 on a quiet machine. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    kernel: kernelVariant(),
    loadAverage: Math.round(loadavg()[0] * 100) / 100,
  };
}

/** The commit of the checkout, with "-dirty" behind it if files differ; null outside of one. */
export function currentCommit(): string | null {
  try {
    const commit = git('rev-parse', 'HEAD');
    return git('status', '--porcelain', '--', ':!bench/results') === ''
      ? commit
      : `${commit}-dirty`;
  } catch {
    return null;
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: packageFolder(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
