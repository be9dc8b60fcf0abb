import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CELL_FILLS, FDE_OPTIONS, resolveFde } from '../../src/fde/options.js';

const DOCS = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'multi-vector.md'), 'utf8');

test('the documentation explains each option of fde, with its default', () => {
  const section = DOCS.split('### The shape of an encoding')[1]!.split(/^#/m)[0]!;
  const rows = section.match(/^\| `\w+` \|.*$/gm)!.map((row) => row.split('|'));
  const names = FDE_OPTIONS.filter((name) => name !== 'dimensions' && name !== 'seed');
  const explained = new Map(
    rows.slice(1).map(([, name, value, text]) => [name!.replaceAll(/[` ]/g, ''), { value, text }]),
  );
  expect([...explained.keys()]).toEqual(names);
  const defaults = resolveFde({ dimensions: 128 });
  for (const name of names) {
    expect(explained.get(name)?.value).toContain(String(defaults[name] ?? 'none'));
  }
  for (const fill of CELL_FILLS) expect(explained.get('fill')?.text).toContain(`\`${fill}\``);
});
