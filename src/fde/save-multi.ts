import { drain, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { joined } from '../format/container.js';
import { layOut, type PartedContainer } from '../format/container-writer.js';
import { type IndexMeta, type PartWriter, writeParts } from '../graph/save.js';
import type { MultiState } from './multi-state.js';

export const KIND = 'multi-index';

/** The whole index, its meta included, as one array. The same index always gives the same bytes. */
export function toBytes(state: MultiState, meta: IndexMeta | undefined): Uint8Array {
  // biome-ignore lint/correctness/useYield: steps that happen to be one
  function* saveIndex(): Steps<Uint8Array[]> {
    return [state.index.toBytes({ ...(meta && { meta }) })];
  }
  return joined(drain(layOut(drain(describe(state, saveIndex)))));
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
  function* saveIndex(): Steps<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    const keep = async (part: Uint8Array) => void parts.push(part.slice());
    yield state.index.save(keep, { ...(meta && { meta }), signal: options.signal });
    return parts;
  }
  function* steps(): Steps<void> {
    yield* writeParts(yield* describe(state, saveIndex), write);
  }
  const release = state.documents.store.hold();
  try {
    await runSteps(steps(), options);
  } finally {
    release();
  }
}

/** What is saved of an index (docs/format.md). Its meta is kept with the index of encodings. */
function* describe(
  { encoder, pooling, documents, nextId }: MultiState,
  saveIndex: () => Steps<Uint8Array[]>,
): Steps<PartedContainer> {
  // All that is deleted from here on has tokens, and perhaps its id, but is not in the index.
  const { header: tokens, sections } = yield* documents.sectionSteps();
  const index = yield* saveIndex();
  return {
    kind: KIND,
    header: {
      fde: definedOnly(encoder.options),
      ...(pooling && { pooling: definedOnly(pooling) }),
      nextId,
      tokens,
    },
    sections: { index: () => index, ...sections },
  };
}

function definedOnly(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
