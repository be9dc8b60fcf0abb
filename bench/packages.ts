import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../datasets/package-folder.js';
import { LeandexError } from '../src/base/errors.js';

/** Where opponents are looked for: in bench/opponents, then as Node does from there upwards. */
function home(): NodeJS.Require {
  return createRequire(join(packageFolder(), 'bench', 'opponents', 'package.json'));
}

/** The version of an installed package; undefined when it is not installed. */
export function installedVersion(name: string): string | undefined {
  // Not by resolving <name>/package.json, which a package need not export.
  const path = (home().resolve.paths(name) ?? [])
    .map((folder) => join(folder, name, 'package.json'))
    .find((candidate) => existsSync(candidate));
  return path && versionIn(path);
}

/** The version of leandex. */
export function ownVersion(): string {
  return versionIn(join(packageFolder(), 'package.json'));
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** The file that loading an installed package begins with. */
export function packageEntry(name: string): string {
  return home().resolve(name);
}

/**
 * Loads a package that is no dependency; the caller says what the module exports. The exports of a
 * CommonJS package are its default export.
 * @throws LeandexError `UNSUPPORTED` when it does not load here: no binary for this platform, for
 * instance.
 */
export async function loadPackage<Exports>(name: string): Promise<Exports> {
  try {
    return await import(pathToFileURL(packageEntry(name)).href);
  } catch (cause) {
    const message = String((cause as Error).message).replaceAll(packageFolder(), '.');
    throw new LeandexError('UNSUPPORTED', `${name} does not load here: ${message}`, { cause });
  }
}
