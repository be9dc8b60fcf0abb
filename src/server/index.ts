import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { Database } from '../db/database.js';
import { open } from '../db/open.js';
import { Catalog } from './catalog.js';
import type { ServerContext } from './endpoint.js';
import { ENDPOINTS } from './endpoints.js';
import { Gate } from './gate.js';
import { openapiDocument } from './openapi.js';
import { type ResolvedOptions, resolveServeOptions, type ServeOptions } from './options.js';
import { Snapshots } from './snapshots.js';

export type { Limits, ServeOptions } from './options.js';

/** A server that listens. */
export interface Server {
  /** `http://127.0.0.1:6333` */
  url: string;
  /**
   * Resolves when all collections are open; they answer before, each once it is. Rejects where they
   * cannot be listed.
   */
  ready: Promise<void>;
  /**
   * Takes no more requests, lets those under way finish for `graceSeconds` (default 10), and closes
   * the database.
   */
  close(options?: { graceSeconds?: number }): Promise<void>;
}

/**
 * Serves the database in a folder (or `':memory:'`) over HTTP, in the REST dialect of Qdrant. It needs
 * the package fastify, which is installed beside this one.
 * @throws TypeError, RangeError, LeandexError `INVALID_ARGUMENT`; what `open` throws; `UNSUPPORTED`
 * without fastify; `IO_ERROR` where the port is taken.
 */
export async function serve(folder: string, given: ServeOptions = {}): Promise<Server> {
  const options = resolveServeOptions(given);
  const { createApp } = await loadApp();
  const { durability, readOnly } = options;
  const log: string[] = [];
  let onLog = (message: string): void => {
    log.push(message);
  };
  const db = await open(folder, {
    ...(durability && { durability }),
    ...(readOnly && { readOnly }),
    onLog: (message) => onLog(message),
  });
  try {
    const gate = new Gate(options.limits.concurrent, options.limits.queue);
    const state: State = { isReady: false, isEnding: false };
    const context = await createContext(db, folder, options, gate, state);
    const app = await createApp(context, gate, ENDPOINTS);
    onLog = (message) => app.log.warn(message);
    for (const message of log) onLog(message);
    await app.listen({ host: options.host, port: options.port }).catch(cannotListen);
    const { port } = app.server.address() as AddressInfo;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const ready = openAll(db, state, (error) =>
      app.log.error({ err: error }, 'a collection cannot be opened'),
    );
    // Nobody has to wait for it: /readyz tells the same.
    ready.catch((error) => app.log.error({ err: error }, 'the collections cannot be listed'));
    return {
      url: `http://${host}:${port}`,
      ready,
      close: async ({ graceSeconds = 10 } = {}) => {
        state.isEnding = true;
        const timer = setTimeout(() => app.server.closeAllConnections(), 1000 * graceSeconds);
        await app.close();
        clearTimeout(timer);
        await db.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** What changes while the server runs. */
interface State {
  isReady: boolean;
  isEnding: boolean;
}

async function createContext(
  db: Database,
  folder: string,
  options: ResolvedOptions,
  gate: Gate,
  state: State,
): Promise<ServerContext> {
  const { createMetrics } = await import('./metrics.js');
  const version = await ownVersion();
  const snapshots = new Snapshots(options.snapshots ?? besides(folder));
  if (!options.readOnly) await snapshots.removeLeftovers();
  let document: object | undefined;
  return {
    catalog: await Catalog.open(db, folder, { readOnly: options.readOnly ?? false }),
    snapshots,
    metrics: createMetrics(db, gate, version),
    options,
    version,
    isReady: () => state.isReady && !state.isEnding,
    isEnding: () => state.isEnding,
    startedAt: new Date(),
    id: randomUUID(),
    openapi: () => {
      document ??= openapiDocument(ENDPOINTS, version);
      return document;
    },
  };
}

/** The folder of snapshots: beside that of the database, which holds nothing but its own. */
function besides(folder: string): string | undefined {
  return folder === ':memory:' ? undefined : `${resolve(folder)}-snapshots`;
}

/** Loads all collections: only then requests to them do not wait. */
async function openAll(
  db: Database,
  state: State,
  onProblem: (error: unknown) => void,
): Promise<void> {
  let isWhole = true;
  for (const name of await db.listCollections()) {
    try {
      await db.collection(name);
    } catch (error) {
      isWhole = false;
      onProblem(error);
    }
  }
  state.isReady = isWhole;
}

async function loadApp(): Promise<typeof import('./app.js')> {
  try {
    return await import('./app.js');
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new LeandexError('UNSUPPORTED', 'the server needs fastify: npm install fastify@5', {
      cause,
    });
  }
}

function cannotListen(cause: Error): never {
  throw new LeandexError('IO_ERROR', `the server cannot listen: ${cause.message}`, { cause });
}

/** Of this package. It lies above this file, in the sources and in what is compiled. */
async function ownVersion(): Promise<string> {
  for (const up of ['../..', '../../..']) {
    const text = await readFile(new URL(`${up}/package.json`, import.meta.url), 'utf8').catch(
      () => undefined,
    );
    const manifest = text && (JSON.parse(text) as { name: string; version: string });
    if (manifest && manifest.name === 'leandex') return manifest.version;
  }
  return 'unknown';
}
