import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../datasets/package-folder.js';
import { currentCommit, describeMachine, type Machine } from './machine.js';

/** When, where and with what a result was measured. */
export interface Stamp {
  readonly name: string;
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
}

/** The stamp of what is about to be measured: the load of the machine is that of before. */
export function stampOf(name: string): Stamp {
  const machine = describeMachine();
  return { name, date: new Date().toISOString(), commit: currentCommit(), machine };
}

/** Writes bench/results/<name>.json. */
export function writeStamped<T extends Stamp>(result: T): void {
  const folder = join(packageFolder(), 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** A sentence for the documentation; results of before they were stamped whole lack some of it. */
export function stampSentence({
  date,
  commit,
  machine,
  rounds,
}: Stamp & { rounds?: number }): string {
  const { cpu, cores, loadAverage, node } = machine;
  const parts = [
    `Measured on ${date.slice(0, 10)}`,
    commit === null ? 'of an unknown commit' : `commit ${commit.slice(0, 9)}`,
    `${cpu}, ${cores} cores, load ${loadAverage} at the start, Node ${node}`,
    ...(rounds === undefined ? [] : [`${rounds} ${rounds === 1 ? 'round' : 'rounds'}`]),
  ];
  return `${parts.join(', ')}.`;
}

/** A line for the console that says what a stamp does. */
export function stampLine({ name, machine }: Stamp): string {
  const { cpu, cores, node, kernel, loadAverage } = machine;
  return `${name}: ${cpu}, ${cores} cores (load ${loadAverage}), Node ${node}, ${kernel}`;
}
