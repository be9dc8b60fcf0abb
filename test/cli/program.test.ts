import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.js';

const DOCS = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8');

/** Commands that do something, by their full names. */
function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

/** What --help prints: everything, also what is added behind. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

describe.each(leaves(createProgram()))('leandex %s', (name, command) => {
  test('has an example of itself in its help', () => {
    expect(helpOf(command)).toMatch(new RegExp(`Examples?:\n(.*\n)*.*leandex ${name}\\b`));
  });

  test('has its place in docs/cli.md, with each option, and --json', () => {
    const section = DOCS.split(/^## /m).find((part) => part.startsWith(`\`${name}\``));
    expect(section).toBeDefined();
    expect(command.options.map(({ long }) => long)).toContain('--json');
    for (const { long } of command.options) expect(section).toContain(long!);
  });

  test('has no option that the help does not explain', () => {
    expect(command.options.filter(({ description }) => description === '')).toEqual([]);
  });
});
