import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEMPORARY } from '../format/replace-file.js';
import { isFolderName } from './catalog-file.js';
import { corrupt } from './sqlite-errors.js';

/** The path of a store that lives in memory alone. */
export const MEMORY = ':memory:';

export const catalogPath = (store: string): string => join(store, 'catalog.sqlite');
export const lockPath = (store: string): string => join(store, 'writer.lock');
export const ownerPath = (store: string): string => join(store, 'writer.json');
const collectionsPath = (store: string): string => join(store, 'collections');

export function folderPath(store: string, folder: string): string {
  return join(collectionsPath(store), folder);
}

export function pointsPath(store: string, folder: string): string {
  return join(folderPath(store, folder), 'points.sqlite');
}

/** Makes the folders of a store, durably, where they are not there yet. */
export function makeStoreFolders(store: string): void {
  mkdirSync(collectionsPath(store), { recursive: true });
  syncFolder(store);
  syncFolder(dirname(store));
}

/** Makes a collection's folder; what is put in it is durable after syncFolder(). */
export function makeCollectionFolder(store: string, folder: string): void {
  mkdirSync(folderPath(store, folder));
  syncFolder(collectionsPath(store));
}

export function deleteCollectionFolder(store: string, folder: string): void {
  rmSync(folderPath(store, folder), { recursive: true, force: true });
}

/** Makes the names in a folder durable. Windows cannot, and needs not. */
export function syncFolder(path: string): void {
  if (process.platform !== 'win32') sync(path, 'r');
}

/** Makes what was written to a file durable. */
export function syncFile(path: string): void {
  sync(path, 'r+');
}

function sync(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Deletes what a crash left behind: collections that were not entered yet or no longer are, and
 * files that were not complete.
 */
export function sweep(store: string, folders: ReadonlySet<string>): void {
  for (const folder of readdirSync(collectionsPath(store))) {
    if (!isFolderName(folder)) continue;
    if (!folders.has(folder)) {
      deleteCollectionFolder(store, folder);
      continue;
    }
    for (const name of readdirSync(folderPath(store, folder))) {
      if (name.endsWith(TEMPORARY)) rmSync(join(folderPath(store, folder), name));
    }
  }
}

/** @throws LeandexError `CORRUPT` where there are collections, but nothing says which. */
export function checkNoCollections(store: string): void {
  if (!readdirSync(collectionsPath(store)).some(isFolderName)) return;
  throw corrupt(catalogPath(store), 'it is missing, though there are collections');
}
