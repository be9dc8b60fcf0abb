import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * The engines run in processes of their own, from compiled code: a source file that is newer than
 * what it was compiled to would be measured in its old form.
 * @throws Error naming such a file and the remedy.
 */
export function requireFreshBuild(): void {
  for (const folder of ['bench', 'datasets', 'src']) {
    for (const file of sourcesIn(folder)) {
      const compiled = join('dist', folder, file.replace(/\.ts$/, '.js'));
      requireNewer(compiled, join(folder, file));
    }
  }
  for (const file of sourcesIn('wasm')) {
    requireNewer(join('dist', 'wasm', 'simd.wasm'), join('wasm', file));
  }
}

function sourcesIn(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return entries.filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('node_modules'),
  );
}

function requireNewer(compiled: string, source: string): void {
  const made = statSync(join(ROOT, compiled), { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && made >= statSync(join(ROOT, source)).mtimeMs) return;
  const state = made === undefined ? 'missing' : `older than ${source}`;
  throw new Error(`${compiled} is ${state}: run "npm run build" before the tests of bench`);
}
