import { drain, type RunOptions, runSteps } from '../base/steps.js';
import { joined } from '../format/container.js';
import { layOut, type PartedContainer } from '../format/container-writer.js';
import { type IndexMeta, type PartWriter, writeParts } from '../graph/save.js';
import type { DocumentTokens } from './document-tokens.js';
import type { MultiState } from './multi-state.js';

export const KIND = 'multi-index';

/** The whole index, its meta included, as one array. The same index always gives the same bytes. */
export function toBytes(state: MultiState, meta: IndexMeta | undefined): Uint8Array {
  const index = state.index.toBytes({ ...(meta && { meta }) });
  return joined(drain(layOut(describe(state, [index], state.documents.toSections()))));
}

/**
 * Hands over the bytes part by part. Documents may be deleted meanwhile, not added: what is saved are
 * the ids of one moment.
 */
export async function save(
  state: MultiState,
  meta: IndexMeta | undefined,
  write: PartWriter,
  options: RunOptions,
): Promise<void> {
  const release = state.documents.store.hold();
  try {
    // First of all: what the index is saved with is among these, whatever is deleted on the way.
    const documents = state.documents.toSections();
    const index: Uint8Array[] = [];
    const keep = async (part: Uint8Array) => void index.push(part.slice());
    await state.index.save(keep, { ...(meta && { meta }), signal: options.signal });
    await runSteps(writeParts(describe(state, index, documents), write), options);
  } finally {
    release();
  }
}

/** What is saved of an index (docs/format.md). Its meta is kept with the index of encodings. */
function describe(
  { encoder, pooling, nextId }: MultiState,
  index: readonly Uint8Array[],
  documents: ReturnType<DocumentTokens['toSections']>,
): PartedContainer {
  return {
    kind: KIND,
    header: {
      fde: definedOnly(encoder.options),
      ...(pooling && { pooling: definedOnly(pooling) }),
      nextId,
      tokens: documents.header,
    },
    sections: { index: () => index, ...documents.sections },
  };
}

function definedOnly(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
