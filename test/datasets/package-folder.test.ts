import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { packageFolder } from '../../datasets/package-folder.js';
import { errorOf, folderWith } from './support.js';

const PACKAGE = '{"name":"leandex"}';

describe('packageFolder', () => {
  test('is the same for sources and compiled code, past packages of other names', () => {
    const folder = folderWith({
      'package.json': PACKAGE,
      'dist/package.json': '{"type":"module"}',
    });
    for (const module of ['datasets/quickstart.ts', 'dist/datasets/quickstart.js']) {
      expect(packageFolder(pathToFileURL(join(folder, module)).href)).toBe(folder);
    }
  });

  test('is this checkout by default', () => {
    expect(packageFolder()).toBe(join(import.meta.dirname, '..', '..'));
  });

  test('NOT_FOUND where no package of that name is above', () => {
    const url = pathToFileURL(join(folderWith({}), 'bundle.js')).href;
    expect(errorOf(() => packageFolder(url)).code).toBe('NOT_FOUND');
  });
});
