import { type RunOptions, runSteps } from '../base/steps.js';
import { DocumentTokens } from '../fde/document-tokens.js';
import { type ByteSource, ContainerReader } from '../format/container-reader.js';
import { layOut } from '../format/container-writer.js';
import { hasThreads } from '../threads/pool.js';
import { identity, requireKnown, requireSame, type SaveContext, useFile } from './cache-files.js';
import { type MultiConfig, settingsOf } from './config.js';
import type { MultiField } from './multi-field.js';

const KIND = 'document-tokens';

const tokensFile = (field: number) => `tokens-${field}.leandex`;

/** Saves the tokens of a field by row, beside its graph. */
export async function saveTokens(
  { database, stored }: SaveContext,
  multi: MultiField,
  field: number,
): Promise<void> {
  await stored.replaceFile(tokensFile(field), (write) =>
    multi.saveTokens(async ({ header, sections }) => {
      const meta = identity(database, stored, settingsOf(multi.config));
      const container = { kind: KIND, header: { meta, tokens: header }, sections };
      for (const part of (await runSteps(layOut(container))).parts()) await write(part);
    }),
  );
}

/** The saved tokens of a field, if they are there and fit. */
export async function loadTokens(
  context: SaveContext,
  config: MultiConfig,
  field: number,
  options: RunOptions = {},
): Promise<DocumentTokens | undefined> {
  const { database, stored } = context;
  return useFile(context, tokensFile(field), async (source) => {
    const { meta, documents } = await runSteps(readSteps(source), options);
    requireSame(meta, identity(database, stored, settingsOf(config)));
    const { nextRow } = await stored.state();
    requireKnown(documents.ids().at(-1) ?? -1, nextRow - 1);
    return documents;
  });
}

/** Takes the file away where it is not to be used: rows that it names may be given out again one day. */
export async function dropTokens({ stored, readOnly }: SaveContext, field: number): Promise<void> {
  const source = await stored.openFile(tokensFile(field));
  await source?.close();
  if (source !== undefined && !readOnly) await stored.removeFile(tokensFile(field));
}

function* readSteps(source: ByteSource) {
  const reader = yield* ContainerReader.open(source, KIND);
  const { meta, tokens } = reader.header;
  const documents = yield* DocumentTokens.fromSections(tokens, reader, hasThreads());
  reader.requireEnd();
  return { meta: meta as Record<string, unknown>, documents };
}
