import { drain, type RunOptions, runSteps } from '../base/steps.js';
import { joined } from '../format/container.js';
import { layOut, type PartedContainer } from '../format/container-writer.js';
import { type IndexMeta, type PartWriter, writeParts } from '../graph/save.js';
import type { MultiState } from './multi-state.js';

export const KIND = 'multi-index';

/** The whole index, its meta included, as one array. The same index always gives the same bytes. */
export function toBytes(state: MultiState, meta: IndexMeta | undefined): Uint8Array {
  const documents = drain(state.documents.sectionSteps());
  const index = state.index.toBytes({ ...(meta && { meta }) });
  return joined(drain(layOut(describe(state, documents, [index]))));
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
  const { signal } = options;
  const release = state.documents.store.hold();
  try {
    const documents = await runSteps(state.documents.sectionSteps(), { signal });
    // Only now: all that the index has is among the documents, whatever is deleted on the way.
    const index: Uint8Array[] = [];
    const keep = async (part: Uint8Array) => void index.push(part.slice());
    await state.index.save(keep, { ...(meta && { meta }), signal });
    await runSteps(writeParts(describe(state, documents, index), write), options);
  } finally {
    release();
  }
}

/** What is saved of an index (docs/format.md). Its meta is kept with the index of encodings. */
function describe(
  { encoder, pooling, nextId }: MultiState,
  tokens: Pick<PartedContainer, 'header' | 'sections'>,
  index: readonly Uint8Array[],
): PartedContainer {
  const options = {
    fde: definedOnly(encoder.options),
    ...(pooling && { pooling: definedOnly(pooling) }),
    nextId,
  };
  return {
    kind: KIND,
    header: { ...options, tokens: tokens.header },
    sections: { index: () => index, ...tokens.sections },
  };
}

function definedOnly(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
