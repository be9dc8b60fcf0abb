import { drain, type Steps } from '../base/steps.js';
import { backup, type Staged, stage } from './backup.js';
import {
  addEntry,
  checkNew,
  entries,
  newFolderName,
  removeEntry,
  replaceEntry,
  setConfig,
} from './catalog-file.js';
import { flush, reclaim } from './checkpoint.js';
import { type CollectionFile, collectionFileOf, createCollectionFile } from './collection-file.js';
import { scan, scores } from './exact-scores.js';
import {
  deleteCollectionFolder,
  folderPath,
  MEMORY,
  makeCollectionFolder,
  pointsPath,
  syncFolder,
} from './layout.js';
import { match } from './match.js';
import { page } from './page.js';
import { changePayloads } from './payload-writes.js';
import { dataVersion, list, read, readVectors, rowsOf, state } from './point-reads.js';
import { remove, upsert } from './point-writes.js';
import { forget, type Service, type ServiceOptions } from './service.js';
import { searchTexts, texts } from './text-search.js';
import { createText, dropTexts, fillText } from './text-writes.js';
import type { CollectionEntry, StoredField } from './types.js';
import { deleteVectors, updateVectors } from './vector-writes.js';
import { verify } from './verify.js';

/** What a thread does with a collection in one transaction, together with others that wait. */
export const WRITES = {
  upsert,
  updateVectors,
  deleteVectors,
  remove,
  changePayloads,
  createText,
  fillText,
  dropTexts,
};

/** What a thread does with a collection by itself; long work in steps. */
export const READS = {
  state,
  dataVersion,
  rowsOf,
  read,
  readVectors,
  list,
  page,
  match,
  scan,
  scores,
  texts,
  searchTexts,
  backup,
  flush,
  reclaim,
  verify: verifyApart,
};

/** What a thread does with the store. */
export const STORE = {
  collections: ({ catalog }: Service) => entries(catalog),
  create,
  setConfig: ({ catalog }: Service, name: string, config: unknown) =>
    setConfig(catalog, name, config),
  removeCollection,
  forget,
  stage,
  adopt,
  replace,
};

/** A collection in memory has one connection, which cannot write while it holds on to a state. */
function verifyApart(file: CollectionFile): Steps<{ points: number }> | { points: number } {
  return file.db.memory ? drain(verify(file)) : verify(file);
}

/** Once the catalogue has it, it is there: a crash before leaves a folder that is swept. */
function create(
  service: Service,
  name: string,
  config: unknown,
  fields: readonly StoredField[],
): CollectionEntry {
  const { catalog, options, files } = service;
  checkNew(catalog, name, fields);
  const folder = newFolderName();
  if (options.path === MEMORY) {
    files.set(folder, collectionFileOf(createCollectionFile(MEMORY, fields), MEMORY));
  } else {
    makeCollection(options, folder, fields);
  }
  return adopt(service, name, { folder, config, fields: [...fields] });
}

function makeCollection(
  { path, pageBytes }: ServiceOptions,
  folder: string,
  fields: readonly StoredField[],
): void {
  makeCollectionFolder(path, folder);
  try {
    createCollectionFile(pointsPath(path, folder), fields, pageBytes).close();
    syncFolder(folderPath(path, folder));
  } catch (error) {
    deleteCollectionFolder(path, folder);
    throw error;
  }
}

/** @throws LeandexError `ALREADY_EXISTS`; what was staged is then deleted */
function adopt(service: Service, name: string, staged: Staged): CollectionEntry {
  const entry = { name, ...staged };
  enter(service, entry, () => addEntry(service.catalog, entry));
  return entry;
}

/** The same in place of the collection of this name: a crash leaves the one or the other. */
function replace(service: Service, name: string, staged: Staged): CollectionEntry {
  const entry = { name, ...staged };
  const before = enter(service, entry, () => replaceEntry(service.catalog, entry));
  if (before !== undefined) discard(service, before.folder);
  return entry;
}

/** Deletes what was staged where it does not come into the catalogue. */
function enter<T>(service: Service, { folder }: Staged, change: () => T): T {
  try {
    return change();
  } catch (error) {
    discard(service, folder);
    throw error;
  }
}

function removeCollection(service: Service, name: string): boolean {
  const entry = removeEntry(service.catalog, name);
  if (entry !== undefined) discard(service, entry.folder);
  return entry !== undefined;
}

function discard(service: Service, folder: string): void {
  forget(service, folder);
  if (service.options.path !== MEMORY) deleteCollectionFolder(service.options.path, folder);
}
