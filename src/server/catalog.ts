import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { Collection } from '../db/collection.js';
import { type CollectionConfig, checkName } from '../db/config.js';
import type { Database } from '../db/database.js';
import { readNotes, writeNotes } from '../db/notes-file.js';
import { refused } from './errors.js';
import { UNNAMED } from './qdrant/unnamed.js';
import { WriteTurns } from './write-turns.js';

/** What the server keeps of a collection besides what the database does: as it was sent. */
export interface CollectionNotes {
  /** Settings of `createCollection` and later changes, to be told again. */
  settings: Record<string, unknown>;
}

/** What the server knows that the database does not. */
interface Notes {
  version: 1;
  /** Name of a collection, by alias. */
  aliases: Record<string, string>;
  collections: Record<string, CollectionNotes>;
}

export type AliasAction =
  | { kind: 'create'; alias: string; collection: string }
  | { kind: 'delete'; alias: string }
  | { kind: 'rename'; alias: string; to: string };

const FILE = 'server.json';

/** What never changes of a collection. */
interface Fields {
  /** The stored name of the vector that has none for clients. */
  unnamed: string;
  /** Stored names of all vectors, dense and sparse. */
  names: ReadonlySet<string>;
  /** Of those with several vectors a point. */
  multi: ReadonlySet<string>;
  turns: WriteTurns;
}

/** A collection as requests use it. */
export interface Served extends Fields {
  collection: Collection;
}

/** The collections of a database by name and alias. Changes are made one after another. */
export class Catalog {
  readonly db: Database;
  /** Undefined where all is kept in memory. */
  private readonly path: string | undefined;
  /** Whether another process may write the notes, so that they are looked at before they are used. */
  private readonly follows: boolean;
  /** Which file of notes was read last. */
  private seen = '';
  private aliases = new Map<string, string>();
  private notes = new Map<string, CollectionNotes>();
  private last: Promise<unknown> = Promise.resolve();
  private readonly fields = new WeakMap<Collection, Promise<Fields>>();

  private constructor(db: Database, path: string | undefined, follows: boolean) {
    this.db = db;
    this.path = path;
    this.follows = follows;
  }

  /**
   * @param folder of the database, or `:memory:`
   * @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`
   */
  static async open(
    db: Database,
    folder: string,
    { readOnly }: { readOnly: boolean },
  ): Promise<Catalog> {
    const path = folder === ':memory:' ? undefined : join(folder, FILE);
    const catalog = new Catalog(db, path, readOnly);
    if (path !== undefined) await catalog.load(path);
    return catalog;
  }

  private async load(path: string): Promise<void> {
    const notes = (await readNotes(path)) as Notes | undefined;
    if (notes === undefined) return;
    if (notes.version !== 1) {
      throw new LeandexError('UNSUPPORTED_VERSION', `${FILE} is of a newer leandex`);
    }
    // A crash may have come between the end of a collection and that of its notes.
    const names = new Set(await this.db.listCollections());
    const isThere = ([, of]: [string, string]) => names.has(of);
    this.aliases = new Map(Object.entries(notes.aliases).filter(isThere));
    const collections = Object.entries(notes.collections).filter(([name]) => names.has(name));
    this.notes = new Map(collections);
  }

  /** Reads the notes again where the process that writes has put others in their place. */
  private async follow(): Promise<void> {
    if (!this.follows || this.path === undefined) return;
    const found = await stat(this.path, { bigint: true }).catch(() => undefined);
    const stamp = found === undefined ? '' : `${found.ino} ${found.mtimeNs} ${found.size}`;
    if (stamp === this.seen) return;
    await this.load(this.path);
    this.seen = stamp;
  }

  /** Names of the collections, in order. */
  names(): Promise<string[]> {
    return this.db.listCollections();
  }

  /** Whether there is a collection of this name or alias. */
  async has(name: string): Promise<boolean> {
    await this.follow();
    const real = this.aliases.get(name) ?? name;
    return (await this.names()).includes(real);
  }

  /** The collection of this name or alias. @throws 404 */
  async find(name: string): Promise<Served> {
    requireName(name);
    await this.follow();
    try {
      const collection = await this.db.collection(this.aliases.get(name) ?? name);
      return { collection, ...(await this.fieldsOf(collection)) };
    } catch (error) {
      if ((error as LeandexError).code !== 'NOT_FOUND') throw error;
      throw noCollection(name);
    }
  }

  /** One for all requests, as its turns are. */
  private fieldsOf(collection: Collection): Promise<Fields> {
    const known = this.fields.get(collection);
    if (known !== undefined) return known;
    const fields = describeFields(collection);
    this.fields.set(collection, fields);
    // Only what is there is kept.
    fields.catch(() => this.fields.delete(collection));
    return fields;
  }

  /** Of a collection that was found. */
  notesOf(collection: string): CollectionNotes {
    return this.notes.get(collection) ?? { settings: {} };
  }

  /** @throws 409 where the name is taken */
  create(name: string, config: CollectionConfig, notes: CollectionNotes): Promise<Collection> {
    return this.inTurn(async () => {
      await this.requireFree(name);
      const collection = await this.db.createCollection(name, config);
      try {
        await this.note(() => this.notes.set(name, notes));
      } catch (error) {
        await this.db.deleteCollection(name);
        throw error;
      }
      return collection;
    });
  }

  /** Changes what is kept of a collection, one change after another. @throws 404 */
  changeNotes(
    collection: string,
    change: (before: CollectionNotes) => CollectionNotes,
  ): Promise<void> {
    return this.inTurn(async () => {
      if (!(await this.names()).includes(collection)) throw noCollection(collection);
      const after = change(this.notesOf(collection));
      await this.note(() => this.notes.set(collection, after));
    });
  }

  /** Deletes a collection and its aliases; false where there is none of this name. */
  delete(name: string): Promise<boolean> {
    return this.inTurn(async () => {
      if (!(await this.db.deleteCollection(name))) return false;
      await this.note(() => {
        this.notes.delete(name);
        for (const [alias, of] of this.aliases) if (of === name) this.aliases.delete(alias);
      });
      return true;
    });
  }

  /**
   * Makes a collection of a snapshot; one of this name that there is, is replaced once the file has
   * been verified.
   */
  restore(name: string, file: string): Promise<void> {
    return this.inTurn(async () => {
      if (this.aliases.has(name)) throw taken(name);
      await this.db.restoreCollection(name, file, { replace: true });
    });
  }

  /** Aliases with their collections, of one collection or of all. */
  async listAliases(collection?: string): Promise<{ alias: string; collection: string }[]> {
    await this.follow();
    return [...this.aliases]
      .filter(([, of]) => collection === undefined || of === collection)
      .map(([alias, of]) => ({ alias, collection: of }))
      .sort((a, b) => (a.alias < b.alias ? -1 : 1));
  }

  /** Does all of these, or nothing. @throws 404, 409 */
  changeAliases(actions: readonly AliasAction[]): Promise<void> {
    return this.inTurn(async () => {
      const names = new Set(await this.names());
      const changed = new Map(this.aliases);
      for (const action of actions) applyAction(changed, names, action);
      await this.note(() => {
        this.aliases = changed;
      });
    });
  }

  private async requireFree(name: string): Promise<void> {
    requireName(name);
    if (this.aliases.has(name) || (await this.names()).includes(name)) throw taken(name);
  }

  /** Notes something, on the disk first: what was answered is there after a crash. */
  private async note(change: () => void): Promise<void> {
    const before = { aliases: new Map(this.aliases), notes: new Map(this.notes) };
    change();
    if (this.path === undefined) return;
    const notes: Notes = {
      version: 1,
      aliases: Object.fromEntries(this.aliases),
      collections: Object.fromEntries(this.notes),
    };
    try {
      await writeNotes(this.path, notes);
    } catch (error) {
      ({ aliases: this.aliases, notes: this.notes } = before);
      throw error;
    }
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.last.then(change);
    this.last = turn.catch(() => {});
    return turn;
  }
}

async function describeFields(collection: Collection): Promise<Fields> {
  const { vectors, sparseVectors } = await collection.info();
  const multi = Object.entries(vectors).filter(([, { multivector }]) => multivector !== undefined);
  return {
    unnamed: UNNAMED in vectors ? UNNAMED : '',
    names: new Set([...Object.keys(vectors), ...Object.keys(sparseVectors)]),
    multi: new Set(multi.map(([name]) => name)),
    turns: new WriteTurns(),
  };
}

/** @throws 422 for a name that nothing can have */
function requireName(name: string): void {
  try {
    checkName('collection_name', name);
  } catch (error) {
    throw refused(422, `Validation error in path: ${(error as Error).message}`);
  }
}

function applyAction(
  aliases: Map<string, string>,
  collections: ReadonlySet<string>,
  action: AliasAction,
): void {
  if (action.kind === 'create') {
    checkName('the name of an alias', action.alias);
    if (collections.has(action.alias)) throw taken(action.alias);
    if (!collections.has(action.collection)) {
      throw noCollection(action.collection);
    }
    aliases.set(action.alias, action.collection);
    return;
  }
  const collection = aliases.get(action.alias);
  if (collection === undefined) {
    throw refused(404, `Not found: Alias ${action.alias} does not exists!`);
  }
  if (action.kind === 'rename') {
    checkName('the name of an alias', action.to);
    if (collections.has(action.to) || aliases.has(action.to)) throw taken(action.to);
    aliases.set(action.to, collection);
  }
  aliases.delete(action.alias);
}

function noCollection(name: string): Error {
  return refused(404, `Not found: Collection \`${name}\` doesn't exist!`);
}

function taken(name: string): Error {
  return refused(409, `Wrong input: Collection \`${name}\` already exists!`);
}
