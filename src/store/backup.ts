import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { TEMPORARY } from '../format/replace-file.js';
import { newFolderName } from './catalog-file.js';
import { type CollectionFile, collectionFileOf } from './collection-file.js';
import {
  deleteCollectionFolder,
  folderPath,
  MEMORY,
  makeCollectionFolder,
  pointsPath,
  syncFile,
  syncFolder,
} from './layout.js';
import { deleteMeta, readMeta, writeMeta } from './meta.js';
import { checkKind, POINTS } from './schema.js';
import type { Service } from './service.js';
import { openDatabase } from './sqlite.js';
import { corrupt, withStoreErrors } from './sqlite-errors.js';
import type { StoredField } from './types.js';
import { verify } from './verify.js';

/**
 * Copies the collection as it is at this moment into one file, which is there wholly or not at all.
 * @param config of the collection: goes into the copy
 * @throws LeandexError `ALREADY_EXISTS` where there is a file
 */
export function backup(file: CollectionFile, target: string, config: unknown): { bytes: number } {
  if (existsSync(target)) {
    throw new LeandexError('ALREADY_EXISTS', `${target} is there already: nothing is overwritten`);
  }
  const temporary = target + TEMPORARY;
  return withStoreErrors(target, () => {
    removeDatabase(temporary);
    try {
      file.db.prepare('VACUUM INTO ?').run(temporary);
      const copy = openDatabase(temporary, { readOnly: false, mustExist: true });
      try {
        writeMeta(copy, 'config', config ?? null);
      } finally {
        copy.close();
      }
      syncFile(temporary);
      renameSync(temporary, target);
      syncFolder(dirname(target));
      return { bytes: statSync(target).size };
    } catch (error) {
      removeDatabase(temporary);
      throw error;
    }
  });
}

/** A backup at the place that its collection will have, verified, but in no catalogue yet. */
export interface Staged {
  folder: string;
  config: unknown;
  fields: StoredField[];
}

/**
 * Copies a backup into a new folder and verifies all of it.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED_VERSION`, `IO_ERROR`, ...
 */
export function* stage(service: Service, source: string): Steps<Staged> {
  if (!existsSync(source)) {
    throw new LeandexError('NOT_FOUND', `there is no file ${source}`, {
      details: { file: source },
    });
  }
  withStoreErrors(source, () => checkBackup(source));
  const store = service.options.path;
  const folder = newFolderName();
  if (store === MEMORY) {
    const file = collectionFileOf(openDatabase(readFileSync(source), { readOnly: false }), source);
    const config = yield* verifyAndTakeConfig(file);
    service.files.set(folder, file);
    return { folder, config, fields: [...file.fields] };
  }
  makeCollectionFolder(store, folder);
  try {
    const target = pointsPath(store, folder);
    copyFileSync(source, target);
    const file = collectionFileOf(openDatabase(target, { readOnly: false }), source);
    try {
      const config = yield* verifyAndTakeConfig(file);
      return { folder, config, fields: [...file.fields] };
    } finally {
      file.db.close();
      syncFile(target);
      syncFolder(folderPath(store, folder));
    }
  } catch (error) {
    deleteCollectionFolder(store, folder);
    throw error;
  }
}

function* verifyAndTakeConfig(file: CollectionFile): Steps<unknown> {
  const config = readMeta<unknown>(file.db, file.path, 'config');
  yield* verify(file);
  deleteMeta(file.db, 'config');
  return config;
}

/**
 * Looked at through SQLite alone: another reader of a file that is in use would end its locks. Such
 * a file is no backup: it is not whole without the log beside it.
 */
function checkBackup(path: string): void {
  const db = openDatabase(path, { readOnly: true });
  try {
    checkKind(db, path, POINTS);
    if (db.pragma('journal_mode', { simple: true }) !== 'delete')
      throw corrupt(path, 'it is no backup');
    readMeta(db, path, 'config');
  } finally {
    db.close();
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-journal']) rmSync(path + suffix, { force: true });
}
