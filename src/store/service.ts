import { existsSync, renameSync, rmSync } from 'node:fs';
import { LeandexError } from '../base/errors.js';
import { TEMPORARY } from '../format/replace-file.js';
import { type CatalogFile, createCatalog, entries, openCatalog } from './catalog-file.js';
import { checkpoint, needsCheckpoint } from './checkpoint.js';
import { type CollectionFile, openCollectionFile } from './collection-file.js';
import {
  catalogPath,
  checkNoCollections,
  MEMORY,
  makeStoreFolders,
  pointsPath,
  sweep,
  syncFolder,
} from './layout.js';
import { type Database, leaveWriteAheadLog } from './sqlite.js';
import { corrupt } from './sqlite-errors.js';
import type { Durability } from './types.js';
import { releaseWriterLock, takeWriterLock } from './writer-lock.js';

export interface ServiceOptions {
  /** Absolute path of the store's folder, or `:memory:`. */
  path: string;
  durability: Durability;
  /** Whether nothing is written through this service: of a store, or of one of its threads. */
  readOnly: boolean;
  /** For tests, which want small files. */
  pageBytes?: number;
}

/** What a thread has open of a store. */
export interface Service {
  readonly options: ServiceOptions;
  readonly catalog: CatalogFile;
  readonly lock: Database | undefined;
  /** By the names of their folders. */
  readonly files: Map<string, CollectionFile>;
}

/** @throws LeandexError `BUSY`, `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED`, ... */
export function openService(options: ServiceOptions): Service {
  const { path, readOnly, pageBytes } = options;
  const files = new Map<string, CollectionFile>();
  if (path === MEMORY) {
    return { options, catalog: createCatalog(MEMORY, pageBytes), lock: undefined, files };
  }
  if (readOnly) {
    if (!existsSync(catalogPath(path))) {
      throw new LeandexError('NOT_FOUND', `there is no store at ${path}`, { details: { path } });
    }
    return { options, catalog: openCatalog(catalogPath(path), true), lock: undefined, files };
  }
  makeStoreFolders(path);
  const lock = takeWriterLock(path);
  try {
    if (!existsSync(catalogPath(path))) newCatalog(path, pageBytes);
    const catalog = openCatalog(catalogPath(path), false);
    sweep(path, new Set(entries(catalog).map(({ folder }) => folder)));
    return { options, catalog, lock, files };
  } catch (error) {
    releaseWriterLock(path, lock);
    throw error;
  }
}

/** The catalogue is there wholly or not at all. */
function newCatalog(store: string, pageBytes: number | undefined): void {
  checkNoCollections(store);
  const path = catalogPath(store);
  for (const suffix of ['', '-journal']) rmSync(path + TEMPORARY + suffix, { force: true });
  createCatalog(path + TEMPORARY, pageBytes).db.close();
  renameSync(path + TEMPORARY, path);
  syncFolder(store);
}

/** The collection in this folder, opened when it is first asked for. */
export function fileOf(service: Service, folder: string): CollectionFile {
  const { files, options } = service;
  let file = files.get(folder);
  if (file === undefined) {
    const path = pointsPath(options.path, folder);
    if (options.path === MEMORY || !existsSync(path)) throw missing(service, folder, path);
    file = openCollectionFile(path, options);
    files.set(folder, file);
  }
  return file;
}

function missing({ catalog }: Service, folder: string, path: string): LeandexError {
  if (entries(catalog).some((entry) => entry.folder === folder)) {
    return corrupt(path, 'it is missing');
  }
  return new LeandexError('NOT_FOUND', `the collection in folder ${folder} was removed`);
}

/** Closes a collection, before it is removed. */
export function forget(service: Service, folder: string): void {
  service.files.get(folder)?.db.close();
  service.files.delete(folder);
}

export function checkpointIfDue(file: CollectionFile): void {
  if (!file.db.memory && needsCheckpoint(file)) checkpoint(file);
}

/**
 * Closes everything, in any case. What was written is then in one file a collection, without a log.
 * @throws the first failure: what was committed is then still in the log
 */
export function closeService({ options, catalog, lock, files }: Service): void {
  const isWriter = !options.readOnly && options.path !== MEMORY;
  let failure: unknown;
  for (const { db } of files.values()) {
    try {
      if (isWriter) leaveWriteAheadLog(db);
    } catch (error) {
      failure ??= error;
    } finally {
      db.close();
    }
  }
  catalog.db.close();
  if (lock !== undefined) releaseWriterLock(options.path, lock);
  if (failure !== undefined) throw failure;
}
