import { type RunOptions, runSteps } from '../base/steps.js';
import type { FieldSchema } from '../filter/field-schema.js';
import { PayloadIndexes } from '../filter/payload-indexes.js';
import { loadIndexes, saveIndexes } from '../filter/saved-indexes.js';
import { readSteps, writeSteps } from '../format/container.js';
import { LeanIndex } from '../graph/lean-index.js';
import { identity, requireKnown, requireSame, type SaveContext, useFile } from './cache-files.js';
import { type GraphConfig, settingsOf } from './config.js';
import type { Drift } from './drift.js';
import type { GraphField } from './field.js';
import type { CollectionState } from './state.js';

const PAYLOAD_FILE = 'payload.leandex';
const PAYLOAD_KIND = 'payload-indexes';

const graphFile = (field: number) => `vectors-${field}.leandex`;

export async function saveGraph(
  { database, stored }: SaveContext,
  state: CollectionState,
  { field, number }: { field: GraphField; number: number },
  drift: () => Drift,
  options: RunOptions = {},
): Promise<void> {
  const { config, index } = field;
  if (index.graph === undefined) return;
  await stored.replaceFile(graphFile(number), (write) => {
    // Only now: while the points were synced another may have taken its place.
    const { version } = state;
    const meta = {
      ...identity(database, stored, settingsOf(config)),
      ...drift().toMeta(),
      version,
    };
    return index.graph!.save(write, { ...options, meta });
  });
}

/** A graph, and the words that were saved with it. */
export interface LoadedGraph {
  index: LeanIndex;
  meta: Record<string, unknown>;
}

/** The saved graph of a field, if there is one that fits; what it covers is what it holds. */
export async function loadGraph(
  context: SaveContext,
  config: GraphConfig,
  field: number,
  options: RunOptions = {},
): Promise<LoadedGraph | undefined> {
  const { database, stored } = context;
  return useFile(context, graphFile(field), async (source) => {
    const { index, meta } = await LeanIndex.load(source, options);
    try {
      requireSame(meta, identity(database, stored, settingsOf(config)));
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

/** In the order of their names: an index that was made anew has another place among them. */
function inOrder(schemas: ReadonlyMap<string, FieldSchema>) {
  return [...schemas].sort(([a], [b]) => (a < b ? -1 : 1));
}
