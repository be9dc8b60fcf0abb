import type { RunOptions } from '../base/steps.js';
import { DocumentTokens } from '../fde/document-tokens.js';
import { hasThreads } from '../threads/pool.js';
import type { SaveContext } from './cache-files.js';
import { type FieldConfig, type IndexConfig, type MultiConfig, multiSettings } from './config.js';
import type { Field } from './field.js';
import { MultiField } from './multi-field.js';
import { freshIndex, RowIndex } from './row-index.js';
import { dropTokens, loadTokens } from './saved-tokens.js';
import { type LoadedGraph, loadGraph } from './saving.js';
import { SingleField } from './single-field.js';
import { SparseField } from './sparse-field.js';

/** A field with what was saved of it, and the words that were saved with that. */
export interface OpenedField {
  field: Field;
  meta: Readonly<Record<string, unknown>>;
}

export async function openField(
  context: SaveContext,
  config: FieldConfig,
  number: number,
  options: RunOptions,
): Promise<OpenedField> {
  if (config.sparse !== undefined) return { field: new SparseField(config), meta: {} };
  const loaded = await loadGraph(context, config, number, options);
  if (config.multivector !== undefined) {
    return openMulti(context, config, number, loaded, options);
  }
  const index = new RowIndex(config, await freshIndex(config), loaded?.index);
  return { field: new SingleField(config, index), meta: loaded?.meta ?? {} };
}

/** A graph of encodings is of no use without the tokens of its rows, nor are these without it. */
async function openMulti(
  context: SaveContext,
  config: MultiConfig,
  number: number,
  loaded: LoadedGraph | undefined,
  options: RunOptions,
): Promise<OpenedField> {
  const settings = multiSettings(config);
  const { dimensions, distance: _, ...rest } = settings.index;
  const shape: IndexConfig = { size: dimensions, distance: 'Dot', index: rest };
  const fresh = await freshIndex(shape);
  const documents = loaded && (await tokensOf(context, config, number, loaded, options));
  if (loaded === undefined) await dropTokens(context, number);
  const tokens = documents ?? new DocumentTokens(config.size, settings.tokenBits, hasThreads());
  const graph = documents && loaded?.index;
  const field = new MultiField(config, settings, new RowIndex(shape, fresh, graph), tokens);
  return { field, meta: graph === undefined ? {} : loaded!.meta };
}

/**
 * The tokens of a graph's rows; undefined where there are none, and the graph is closed. Both were
 * saved at different times: what one has alone is taken from it, and read from the store.
 */
async function tokensOf(
  context: SaveContext,
  config: MultiConfig,
  number: number,
  { index: graph }: LoadedGraph,
  options: RunOptions,
): Promise<DocumentTokens | undefined> {
  let documents: DocumentTokens | undefined;
  try {
    documents = await loadTokens(context, config, number, options);
  } finally {
    if (documents === undefined) await graph.close();
  }
  if (documents === undefined) return undefined;
  documents.forget(documents.ids().filter((row) => !graph.has(row)));
  const bare = graph.ids().filter((row) => !documents.has(row));
  if (bare.length > 0) void graph.delete(bare).catch(() => {});
  return documents;
}
