import { LeandexError } from '../../src/base/errors.js';
import { absence } from '../data.js';
import { ENGINES, engineAbsence, engineVersion } from '../engines/registry.js';
import { funnelOf } from '../funnel.js';
import { type HarnessOptions, runCase } from '../harness.js';
import { currentCommit, describeMachine, type Machine } from '../machine.js';
import { ownVersion } from '../packages.js';
import { runChurn } from './churn.js';
import { runFiltered } from './filtered.js';
import { runKv } from './kv.js';
import { runMulti } from './multi.js';
import type { LeftOut, SuiteResult, TaskResult } from './result.js';
import { caseOf, isOnVectors, type Suite, type Task } from './suite.js';

export type SuiteOptions = HarnessOptions & { readonly machine: Machine };

/**
 * Runs the tasks of a suite one after another. One whose data is not here is skipped, with the
 * reason in the result; so is one that fails, where others did not.
 * @throws LeandexError as runCase() does for the first task; `NOT_FOUND` when no task could run.
 */
export async function runSuite(suite: Suite, options: HarnessOptions = {}): Promise<SuiteResult> {
  const { log = () => {} } = options;
  const machine = describeMachine();
  const tasks: TaskResult[] = [];
  const skipped: LeftOut[] = [];
  const failed: LeftOut[] = [];
  for (const task of suite.tasks) {
    const reason = isOnVectors(task) ? absence(caseOf(task, 10).data) : undefined;
    try {
      if (reason !== undefined) throw new LeandexError('NOT_FOUND', reason);
      log(`${suite.name}: ${task.name}`);
      tasks.push(await runTask(task, { ...options, machine }));
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      // A chosen engine that is not installed is an error of the whole run, and so of its first task.
      const isAbsent = code === 'NOT_FOUND' && options.engines === undefined;
      // What was measured before, perhaps for an hour, is not lost with a task that fails.
      if (!isAbsent && tasks.length === 0) throw error;
      (isAbsent ? skipped : failed).push({ task: task.name, reason: message });
      log(`${suite.name}: ${task.name} ${isAbsent ? 'skipped' : 'failed'}, ${message}`);
    }
  }
  if (tasks.length === 0) {
    const reasons = skipped.map(({ task, reason }) => `${task}: ${reason}`).join('; ');
    throw new LeandexError('NOT_FOUND', `no task of ${suite.name} could run: ${reasons}`);
  }
  const { name, description } = suite;
  return {
    ...{ suite: name, description, date: new Date().toISOString(), commit: currentCommit() },
    ...{ machine, versions: versions(), tasks, skipped, failed },
  };
}

async function runTask(task: Task, options: SuiteOptions): Promise<TaskResult> {
  switch (task.kind) {
    case 'ann': {
      const results = [];
      for (const k of task.k) results.push(await runCase(caseOf(task, k), options));
      return { kind: 'ann', name: task.name, results };
    }
    case 'ir': {
      const { name, ef } = task;
      const result = await runCase(caseOf(task, 100), options);
      return { kind: 'ir', name, ef, result, funnel: funnelOf(result, ef) };
    }
    case 'filtered':
      return runFiltered(task, options);
    case 'churn':
      return runChurn(task, options);
    case 'multi':
      return runMulti(task);
    case 'kv':
      return runKv(task);
  }
}

function versions(): Record<string, string> {
  const installed = ENGINES.filter((engine) => engineAbsence(engine) === undefined);
  const engines = installed.map((engine) => [engine.name, engineVersion(engine)] as const);
  return { ...Object.fromEntries(engines), leandex: ownVersion() };
}
