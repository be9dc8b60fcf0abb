import { checkNotes } from '../../db/notes-file.js';
import type { FieldSchema } from '../../db/types.js';
import type { AliasAction } from '../catalog.js';
import { type Endpoint, endpoint } from '../endpoint.js';
import { refused, unsupported } from '../errors.js';
import { anything, array, type Of, object, string } from '../schema.js';
import {
  type CreateBody,
  changeBody,
  checkStorage,
  createBody,
  FIXED_SETTINGS,
  isOne,
  readCreate,
} from './collection-config.js';
import { collectionInfo, wireInfo } from './collection-info.js';
import { updateResult as updated } from './records.js';
import { ok, readQuery, timeoutQuery, updateResult, writeQuery } from './schemas.js';
import { unknownVector } from './unnamed.js';

const COLLECTION = '/collections/{collection_name}';

const list = endpoint({
  method: 'GET',
  path: '/collections',
  summary: 'All collections',
  access: 'read',
  result: object({ collections: array(object({ name: string() })) }),
  run: async ({ catalog }) => ({ collections: (await catalog.names()).map((name) => ({ name })) }),
});

const info = endpoint({
  method: 'GET',
  path: COLLECTION,
  summary: 'What a collection consists of, and how far its index is',
  access: 'read',
  query: readQuery,
  result: collectionInfo,
  run: async ({ catalog }, { params }) => {
    const { collection } = await catalog.find(params.collection_name!);
    return wireInfo(await collection.info(), catalog.notesOf(collection.name));
  },
});

const exists = endpoint({
  method: 'GET',
  path: `${COLLECTION}/exists`,
  summary: 'Whether there is a collection of this name or alias',
  access: 'read',
  result: object({ exists: ok }),
  run: async ({ catalog }, { params }) => ({ exists: await catalog.has(params.collection_name!) }),
});

const create = endpoint({
  method: 'PUT',
  path: COLLECTION,
  summary: 'Make a collection',
  access: 'write',
  query: timeoutQuery,
  body: createBody,
  result: ok,
  run: async ({ catalog }, { params, body }) => {
    checkNotes('body', body);
    await catalog.create(params.collection_name!, readCreate(body), { settings: { ...body } });
    return true;
  },
});

const change = endpoint({
  method: 'PATCH',
  path: COLLECTION,
  summary: 'Change settings of a collection that build nothing anew',
  access: 'write',
  query: timeoutQuery,
  body: changeBody,
  result: ok,
  run: async ({ catalog }, { params, body }) => {
    const { name } = (await catalog.find(params.collection_name!)).collection;
    refuseFixed(Object.fromEntries(FIXED_SETTINGS.map((setting) => [setting, body[setting]])));
    checkNotes('body', body);
    await catalog.changeNotes(name, ({ settings }) => ({
      settings: changed(settings as CreateBody, body),
    }));
    return true;
  },
});

type Changes = Of<typeof changeBody>;

function changed(before: CreateBody, changes: Changes): Record<string, unknown> {
  const { params: placement, optimizers_config, metadata } = changes;
  const sparse = placedSparse(before.sparse_vectors ?? {}, changes.sparse_vectors ?? {});
  const vectors = placedVectors(before.vectors ?? {}, changes.vectors ?? {});
  checkStorage('params.payload', placement?.payload ?? {});
  return {
    ...before,
    ...placement,
    ...(before.sparse_vectors && { sparse_vectors: sparse }),
    ...(before.vectors && { vectors }),
    optimizers_config: { ...before.optimizers_config, ...optimizers_config },
    metadata: withoutNulls({ ...before.metadata, ...metadata }),
  };
}

/** Where indexes of sparse vectors lie, after a change. */
function placedSparse(
  before: NonNullable<CreateBody['sparse_vectors']>,
  changes: NonNullable<Changes['sparse_vectors']>,
) {
  return merged(before, changes, (known, { index, modifier }) => {
    refuseFixed({ modifier });
    return { ...known, index: { ...known.index, ...index } };
  });
}

/** The same for dense vectors; the one without a name has the empty one. */
function placedVectors(
  before: NonNullable<CreateBody['vectors']>,
  changes: NonNullable<Changes['vectors']>,
): NonNullable<CreateBody['vectors']> {
  const byName = isOne(before) ? { '': before } : before;
  const placed = merged(byName, changes, (known, { on_disk, memory, ...others }) => {
    refuseFixed(others);
    const storage = { ...(!isEmpty(on_disk) && { on_disk }), ...(memory && { memory }) };
    checkStorage('vectors', storage);
    return { ...known, ...storage };
  });
  return isOne(before) ? placed['']! : placed;
}

/** @throws 400 for a name that there is not */
function merged<Settings, Change>(
  before: Record<string, Settings>,
  changes: Record<string, Change>,
  merge: (known: Settings, change: Change) => Settings,
): Record<string, Settings> {
  const changed = Object.entries(changes).map(([name, change]) => {
    const known = Object.hasOwn(before, name) ? before[name] : undefined;
    if (known === undefined) throw unknownVector(name);
    return [name, merge(known, change)] as const;
  });
  return { ...before, ...Object.fromEntries(changed) };
}

/** What would build a collection anew. */
function refuseFixed(settings: Record<string, unknown>): void {
  const given = Object.keys(settings).find((name) => !isEmpty(settings[name]));
  if (given !== undefined) throw unsupported(given, 'it is settled when a collection is made');
}

/** Null takes a member away. */
function withoutNulls(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const remove = endpoint({
  method: 'DELETE',
  path: COLLECTION,
  summary: 'Delete a collection with all its points; false where there is none',
  access: 'write',
  query: timeoutQuery,
  result: ok,
  run: ({ catalog }, { params }) => catalog.delete(params.collection_name!),
});

const createIndex = endpoint({
  method: 'PUT',
  path: `${COLLECTION}/index`,
  summary: 'Index a payload field',
  access: 'write',
  query: writeQuery,
  body: object({ field_name: string({ minLength: 1 }), field_schema: anything() }),
  result: updateResult,
  run: async ({ catalog }, { params, body, query, signal }) => {
    const { collection } = await catalog.find(params.collection_name!);
    checkCapabilities(body.field_schema);
    await collection.createPayloadIndex(body.field_name, body.field_schema as FieldSchema, {
      signal,
    });
    return updated(await collection.info(), query);
  },
});

/** An index can both whatever is asked for, but one that could neither is a mistake. */
function checkCapabilities(schema: unknown): void {
  const { lookup, range } = (schema ?? {}) as { lookup?: unknown; range?: unknown };
  if (lookup !== false || range !== false) return;
  const rule = "the 'lookup' and 'range' capabilities can't be both disabled";
  throw refused(422, `Validation error in JSON body: Validation error: ${rule}`);
}

const deleteIndex = endpoint({
  method: 'DELETE',
  path: `${COLLECTION}/index/{field_name}`,
  summary: 'Give the index of a payload field up',
  access: 'write',
  query: writeQuery,
  result: updateResult,
  run: async ({ catalog }, { params, query }) => {
    const { collection } = await catalog.find(params.collection_name!);
    await collection.deletePayloadIndex(params.field_name!);
    return updated(await collection.info(), query);
  },
});

const aliasAction = object(
  {},
  {
    create_alias: object({ collection_name: string(), alias_name: string() }),
    delete_alias: object({ alias_name: string() }),
    rename_alias: object({ old_alias_name: string(), new_alias_name: string() }),
  },
);

function readAction(given: Of<typeof aliasAction>): AliasAction {
  const { create_alias, delete_alias, rename_alias } = given;
  if ([create_alias, delete_alias, rename_alias].filter(Boolean).length !== 1) {
    throw refused(400, 'Wrong input: an action is one of create_alias, delete_alias, rename_alias');
  }
  if (create_alias) {
    const { alias_name: alias, collection_name: collection } = create_alias;
    return { kind: 'create', alias, collection };
  }
  if (delete_alias) return { kind: 'delete', alias: delete_alias.alias_name };
  const { old_alias_name: alias, new_alias_name: to } = rename_alias!;
  return { kind: 'rename', alias, to };
}

const changeAliases = endpoint({
  method: 'POST',
  path: '/collections/aliases',
  summary: 'Change aliases: all of it, or nothing',
  access: 'write',
  query: timeoutQuery,
  body: object({ actions: array(aliasAction) }),
  result: ok,
  run: async ({ catalog }, { body }) => {
    await catalog.changeAliases(body.actions.map(readAction));
    return true;
  },
});

const aliasList = object({
  aliases: array(object({ alias_name: string(), collection_name: string() })),
});

const wireAliases = (found: { alias: string; collection: string }[]) => ({
  aliases: found.map(({ alias, collection }) => ({
    alias_name: alias,
    collection_name: collection,
  })),
});

const aliases = endpoint({
  method: 'GET',
  path: '/aliases',
  summary: 'All aliases',
  access: 'read',
  result: aliasList,
  run: async ({ catalog }) => wireAliases(await catalog.listAliases()),
});

const aliasesOf = endpoint({
  method: 'GET',
  path: `${COLLECTION}/aliases`,
  summary: 'The aliases of a collection',
  access: 'read',
  result: aliasList,
  run: async ({ catalog }, { params }) => {
    const { name } = (await catalog.find(params.collection_name!)).collection;
    return wireAliases(await catalog.listAliases(name));
  },
});

export const collections: readonly Endpoint[] = [
  list,
  changeAliases,
  info,
  exists,
  create,
  change,
  remove,
  createIndex,
  deleteIndex,
  aliases,
  aliasesOf,
];
