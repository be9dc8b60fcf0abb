import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import { type Endpoint, endpoint, type ServerContext } from '../endpoint.js';
import { refused } from '../errors.js';
import { array, integer, nullable, object, oneOf, string } from '../schema.js';
import { checksumOf } from '../snapshots.js';
import { ok, waitQuery } from './schemas.js';

const SNAPSHOTS = '/collections/{collection_name}/snapshots';

const description = object({
  name: string(),
  creation_time: nullable(string()),
  size: integer(),
  checksum: nullable(string()),
});

const list = endpoint({
  method: 'GET',
  path: SNAPSHOTS,
  summary: 'The snapshots of a collection',
  access: 'read',
  result: array(description),
  run: async ({ catalog, snapshots }, { params }) =>
    snapshots.list((await catalog.find(params.collection_name!)).collection.name),
});

const create = endpoint({
  method: 'POST',
  path: SNAPSHOTS,
  summary: 'Copy all points of a collection to a file, as they are at one moment',
  access: 'write',
  isLong: true,
  query: waitQuery,
  result: description,
  run: async ({ catalog, snapshots, metrics }, { params, signal }) => {
    const { collection } = await catalog.find(params.collection_name!);
    const created = await snapshots.create(collection, signal);
    metrics.snapshotCreated();
    return created;
  },
});

const download = endpoint({
  method: 'GET',
  path: `${SNAPSHOTS}/{snapshot_name}`,
  summary: 'The file of a snapshot',
  access: 'read',
  isLong: true,
  envelope: 'own',
  result: string({ format: 'binary' }),
  run: async ({ catalog, snapshots }, { params, signal, reply }) => {
    const { name } = (await catalog.find(params.collection_name!)).collection;
    const file = await snapshots.find(name, params.snapshot_name!);
    reply.type('application/octet-stream').send(createReadStream(file, { signal }));
  },
});

const remove = endpoint({
  method: 'DELETE',
  path: `${SNAPSHOTS}/{snapshot_name}`,
  summary: 'Delete a snapshot',
  access: 'write',
  query: waitQuery,
  result: ok,
  run: async ({ catalog, snapshots }, { params }) => {
    const { name } = (await catalog.find(params.collection_name!)).collection;
    await snapshots.remove(name, params.snapshot_name!);
    return true;
  },
});

/** Where there is but one copy, it is always the snapshot's that holds. */
const priority = oneOf(['snapshot', 'replica', 'no_sync'] as const);

const recover = endpoint({
  method: 'PUT',
  path: `${SNAPSHOTS}/recover`,
  summary: 'Make a collection of a snapshot in the folder of snapshots, in place of what there is',
  access: 'write',
  isLong: true,
  query: waitQuery,
  body: object({ location: string({ minLength: 1 }) }, { priority, checksum: string() }),
  result: ok,
  run: async (context, { params, body, request }) => {
    const file = await context.snapshots.locate(body.location);
    takeTime(request);
    await restore(context, params.collection_name!, file, body.checksum ?? undefined);
    return true;
  },
});

const upload = endpoint({
  method: 'POST',
  path: `${SNAPSHOTS}/upload`,
  summary: 'Make a collection of a snapshot that is sent, in place of what there is',
  access: 'write',
  isLong: true,
  isUpload: true,
  query: object({}, { wait: oneOf(['true', 'false'] as const), priority, checksum: string() }),
  result: ok,
  run: async (context, { params, query, request }) => {
    const part = request.isMultipart() ? await request.file() : undefined;
    if (part === undefined || part.fieldname !== 'snapshot') {
      throw refused(400, 'Wrong input: the body must be a form with the file `snapshot`');
    }
    const file = await context.snapshots.receive(part.file);
    takeTime(request);
    try {
      if (part.file.truncated) throw refused(413, 'Bad request: the snapshot is too large');
      await restore(context, params.collection_name!, file, query.checksum ?? undefined);
    } finally {
      await rm(file, { force: true });
    }
    return true;
  },
});

/** What is being restored is restored to its end, however long the connection is idle meanwhile. */
function takeTime({ raw }: FastifyRequest): void {
  raw.socket.setTimeout(0);
}

async function restore(
  { catalog }: ServerContext,
  name: string,
  file: string,
  checksum: string | undefined,
): Promise<void> {
  if (checksum !== undefined && (await checksumOf(file)) !== checksum.toLowerCase()) {
    throw refused(400, 'Wrong input: the checksum is not that of the snapshot');
  }
  try {
    await catalog.restore(name, file);
  } catch (error) {
    // It is the file that is damaged, and nothing of this server.
    if ((error as { code?: unknown }).code !== 'CORRUPT') throw error;
    throw refused(400, 'Wrong input: the snapshot is damaged, or is none');
  }
}

const WHOLE =
  'Not implemented: snapshots are of one collection, /collections/{collection_name}/snapshots';

const listWhole = endpoint({
  method: 'GET',
  path: '/snapshots',
  summary: 'Snapshots of everything: there are none',
  access: 'read',
  result: array(description),
  run: () => [],
});

const createWhole = endpoint({
  method: 'POST',
  path: '/snapshots',
  summary: 'Not supported: snapshots are of one collection',
  access: 'write',
  query: waitQuery,
  result: description,
  run: () => {
    throw refused(501, WHOLE);
  },
});

const ofWhole = (method: 'GET' | 'DELETE') =>
  endpoint({
    method,
    path: '/snapshots/{snapshot_name}',
    summary: 'A snapshot of everything: there are none',
    access: method === 'GET' ? 'read' : 'write',
    query: waitQuery,
    result: ok,
    run: (_, { params }) => {
      throw refused(404, `Not found: Snapshot ${params.snapshot_name} doesn't exist!`);
    },
  });

export const snapshots: readonly Endpoint[] = [
  list,
  create,
  recover,
  upload,
  download,
  remove,
  listWhole,
  createWhole,
  ofWhole('GET'),
  ofWhole('DELETE'),
];
