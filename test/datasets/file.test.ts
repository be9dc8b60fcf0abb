import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBytes, writeBytes } from '../../datasets/file.js';
import { errorOf, folderWith } from './support.js';

describe('readBytes and writeBytes', () => {
  test('parts are written one after another, over what was there', () => {
    const path = join(folderWith({ file: 'something longer' }), 'file');
    writeBytes(path, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
    expect(readBytes(path)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('a missing file and a file used as a folder are NOT_FOUND, with the cause', () => {
    const folder = folderWith({ file: '' });
    for (const path of [join(folder, 'none'), join(folder, 'file', 'none')]) {
      const error = errorOf(() => readBytes(path));
      expect(error).toMatchObject({ code: 'NOT_FOUND', details: { file: path } });
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  test('a folder gives the error that Node gives', () => {
    const folder = folderWith({});
    expect(errorOf(() => readBytes(folder)).code).toBe('EISDIR');
  });
});
