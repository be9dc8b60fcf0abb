import { LeandexError } from '../../src/base/errors.js';
import { absence } from '../data.js';
import { ENGINES, engineAbsence, engineVersion } from '../engines/registry.js';
import { entryList } from '../entry.js';
import { funnelOf } from '../funnel.js';
import { type HarnessOptions, runCase } from '../harness.js';
import { currentCommit, describeMachine, type Machine } from '../machine.js';
import { ownVersion } from '../packages.js';
import type { CaseResult } from '../result.js';
import { runChurn } from './churn.js';
import { runFiltered } from './filtered.js';
import { runKv } from './kv.js';
import { runMulti } from './multi.js';
import type { LeftOut, SuiteResult, TaskResult } from './result.js';
import { caseOf, isOnVectors, type Suite, type Task } from './suite.js';

export type SuiteOptions = HarnessOptions & { readonly machine: Machine };

/**
 * Runs the tasks of a suite one after another. One whose data is not here is skipped, with the
 * reason in the result, and so is one in which none of the chosen engines takes part; one that fails
 * is told there too, where others did not.
 * @throws LeandexError as runCase() does for the first task; `NOT_FOUND` when no task could run.
 */
export async function runSuite(suite: Suite, options: HarnessOptions = {}): Promise<SuiteResult> {
  const { log = () => {} } = options;
  const machine = describeMachine();
  const tasks: TaskResult[] = [];
  const skipped: LeftOut[] = [];
  const failed: LeftOut[] = [];
  requireEngines(suite, options.engines);
  for (const task of suite.tasks) {
    const engines = enginesOf(task, options.engines);
    const reason = reasonAgainst(task, engines);
    try {
      if (reason !== undefined) throw new LeandexError('NOT_FOUND', reason);
      log(`${suite.name}: ${task.name}`);
      const own = { ...options, machine, ...(engines && { engines }) };
      // What was measured at one k is not lost with the next.
      const onFailed = (what: string, error: Error) => {
        failed.push({ task: `${task.name} ${what}`, reason: error.message });
        log(`${suite.name}: ${task.name} ${what} failed, ${error.message}`);
      };
      tasks.push(await runTask(task, own, onFailed));
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      const isAbsent = code === 'NOT_FOUND';
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

/** Chosen engines of which one is nowhere, or takes part in no task, are an error of the whole run. */
function requireEngines({ tasks }: Suite, chosen: readonly string[] | undefined): void {
  const contenders = tasks.filter(isOnVectors).flatMap((task) => caseOf(task, 10).contenders);
  if (contenders.length > 0) entryList(contenders, chosen);
}

/** Those of the chosen engines that take part in a task; undefined for all. */
function enginesOf(task: Task, chosen: readonly string[] | undefined): string[] | undefined {
  if (chosen === undefined || !isOnVectors(task)) return undefined;
  const { contenders } = caseOf(task, 10);
  return chosen.filter((name) => contenders.some(({ engine }) => engine === name));
}

/** Why a task cannot run; undefined when it can. */
function reasonAgainst(task: Task, engines: string[] | undefined): string | undefined {
  if (!isOnVectors(task)) return undefined;
  if (engines?.length === 0) return 'none of the chosen engines takes part in it';
  return absence(caseOf(task, 10).data);
}

async function runTask(
  task: Task,
  options: SuiteOptions,
  onFailed: (what: string, error: Error) => void,
): Promise<TaskResult> {
  switch (task.kind) {
    case 'ann': {
      const results: CaseResult[] = [];
      for (const k of task.k) {
        try {
          results.push(await runCase(caseOf(task, k), options));
        } catch (error) {
          if (results.length === 0) throw error;
          onFailed(`at k ${k}`, error as Error);
        }
      }
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
