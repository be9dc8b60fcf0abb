import { basename } from 'node:path';
import { LeandexError } from '../base/errors.js';
import { type RunOptions, runSteps } from '../base/steps.js';
import type { FieldSchema } from '../filter/field-schema.js';
import { PayloadIndexes } from '../filter/payload-indexes.js';
import { loadIndexes, saveIndexes } from '../filter/saved-indexes.js';
import { readSteps, writeSteps } from '../format/container.js';
import { LeanIndex } from '../graph/lean-index.js';
import type { ReadableFile } from '../store/safe-file.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { FieldConfig } from './config.js';
import type { Drift } from './drift.js';
import type { CollectionState } from './state.js';

/**
 * The indexes of a collection as files beside its points: a cache, which says of which database and
 * collection it is and what it covers. Anything that does not fit is left alone, and built anew.
 */
export interface SaveContext {
  /** Of the database. */
  database: string;
  readOnly: boolean;
  stored: StoredCollection;
  onLog: (message: string) => void;
}

const PAYLOAD_FILE = 'payload.leandex';
const PAYLOAD_KIND = 'payload-indexes';

const graphFile = (field: number) => `vectors-${field}.leandex`;

export async function saveGraph(
  { database, stored }: SaveContext,
  state: CollectionState,
  field: number,
  drift: () => Drift,
  options: RunOptions = {},
): Promise<void> {
  const vectors = state.fields[field]!;
  if (vectors.graph === undefined) return;
  await stored.replaceFile(graphFile(field), (write) => {
    // Only now: while the points were synced another may have taken its place.
    const { version } = state;
    const meta = {
      ...identity(database, stored, vectors.config),
      ...drift().toMeta(),
      version,
    };
    return vectors.graph!.save(write, { ...options, meta });
  });
}

/** The saved graph of a field, if there is one that fits; what it covers is what it holds. */
export async function loadGraph(
  context: SaveContext,
  config: FieldConfig,
  field: number,
  options: RunOptions = {},
): Promise<{ index: LeanIndex; meta: Record<string, unknown> } | undefined> {
  const { database, stored } = context;
  return useFile(context, graphFile(field), async (source) => {
    const { index, meta } = await LeanIndex.load(source, options);
    try {
      requireSame(meta, identity(database, stored, config));
      const { nextRow } = await stored.state();
      requireKnown(index.ids().at(-1) ?? -1, nextRow - 1);
      return { index, meta };
    } catch (error) {
      await index.close();
      throw error;
    }
  });
}

/** Saves the payload indexes as they are after a write; no write may be applied meanwhile. */
export async function savePayloadIndexes(
  { database, stored }: SaveContext,
  state: CollectionState,
): Promise<void> {
  const { indexes, version, nextRow } = state;
  const { header, sections } = await runSteps(saveIndexes(indexes));
  const meta = { ...identity(database, stored, inOrder(indexes.schemas)), version, nextRow };
  const container = { kind: PAYLOAD_KIND, header: { meta, indexes: header }, sections };
  await stored.replaceFile(PAYLOAD_FILE, async (write) => {
    for (const part of (await runSteps(writeSteps(container))).parts()) await write(part);
  });
}

/** Payload indexes, and the version and row up to which they know all payloads. */
interface KnownPayloads {
  indexes: PayloadIndexes;
  version: number;
  nextRow: number;
}

/** The saved payload indexes if they fit, else empty ones. */
export async function loadPayloadIndexes(
  context: SaveContext,
  schemas: ReadonlyMap<string, FieldSchema>,
): Promise<KnownPayloads> {
  const { database, stored } = context;
  const loaded = await useFile(context, PAYLOAD_FILE, async (source) => {
    const { header, sections } = await runSteps(readSteps(source, PAYLOAD_KIND));
    const meta = header.meta as Record<string, unknown>;
    requireSame(meta, identity(database, stored, inOrder(schemas)));
    const now = await stored.state();
    requireKnown(meta.version, now.version);
    requireKnown(meta.nextRow, now.nextRow);
    const saved = { header: header.indexes as Record<string, unknown>, sections };
    const indexes = await runSteps(loadIndexes(saved));
    return { indexes, version: Number(meta.version), nextRow: Number(meta.nextRow) };
  });
  if (loaded !== undefined) return loaded;
  const indexes = new PayloadIndexes();
  for (const [field, schema] of schemas) indexes.create(field, schema);
  return { indexes, version: 0, nextRow: 0 };
}

/** What `read` makes of a file; a file that is damaged or does not fit is done away with. */
async function useFile<T>(
  { stored, onLog, readOnly }: SaveContext,
  name: string,
  read: (source: ReadableFile) => Promise<T>,
): Promise<T | undefined> {
  const source = await stored.openFile(name);
  if (source === undefined) return undefined;
  try {
    return await read(source);
  } catch (error) {
    if ((error as LeandexError).code === 'ABORTED') throw error;
    onLog(`${name} is not used and made anew: ${(error as Error).message}`);
  } finally {
    await source.close();
  }
  // Rows that it names may be given out again one day: it must not fit then by accident.
  if (!readOnly) await stored.removeFile(name);
  return undefined;
}

/** In the order of their names: an index that was made anew has another place among them. */
function inOrder(schemas: ReadonlyMap<string, FieldSchema>) {
  return [...schemas].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a file says of where it belongs. */
function identity(database: string, { folder }: StoredCollection, settings: unknown) {
  // Its name alone: a database may be moved.
  const collection = folder === undefined ? '' : basename(folder);
  return { database, collection, settings: JSON.stringify(settings) };
}

function requireSame(
  meta: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (meta[name] !== value) throw misfit(`it was saved for another ${name}`);
  }
}

/** A power failure may, in a mode that allows it, take back rows and versions that were saved. */
function requireKnown(saved: unknown, stored: number): void {
  if (typeof saved === 'number' && saved <= stored) return;
  throw misfit(`it knows of ${String(saved)}, the points only of ${stored}`);
}

function misfit(problem: string): LeandexError {
  return new LeandexError('CORRUPT', problem);
}
