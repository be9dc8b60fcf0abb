import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LeandexError } from '../src/base/errors.js';

/**
 * The folder of the leandex package: the nearest one above the module at `url` whose package.json
 * has that name, so that sources and compiled code, which lie at different depths, find the same.
 * Throws NOT_FOUND when there is none (the code was bundled into something else).
 */
export function packageFolder(url: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(url));
  while (!isLeandex(folder)) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new LeandexError('NOT_FOUND', `no folder of the leandex package above ${url}`, {
        details: { url },
      });
    }
    folder = parent;
  }
  return folder;
}

function isLeandex(folder: string): boolean {
  const path = join(folder, 'package.json');
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).name === 'leandex';
}
