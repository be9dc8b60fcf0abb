import { checkInteger, checkOneOf } from '../base/check.js';
import { wrongType } from '../base/errors.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import { parsePath, pathText } from '../filter/path.js';
import { WriteQueue } from '../graph/write-queue.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { TextIndex, TextIndexOptions, TextTokenizer } from '../store/text-tables.js';

type TextSettings = Pick<TextIndex, 'field' | 'tokenizer' | 'prefix'>;

const TOKENIZERS: readonly TextTokenizer[] = ['unicode61', 'porter', 'trigram'];
const PREFIXES_MAX = 8;
const PREFIX_MAX = 32;

/** Makes and deletes a collection's indexes of texts, which the store has, one at a time. */
export class TextIndexes {
  private readonly stored: StoredCollection;
  private readonly queue = new WriteQueue();
  private readonly ending = new AbortController();

  constructor(stored: StoredCollection) {
    this.stored = stored;
  }

  async create(field: string, options: TextIndexOptions, run: RunOptions): Promise<void> {
    const settings = readSettings(field, options);
    const signal = AbortSignal.any([this.ending.signal, ...(run.signal ? [run.signal] : [])]);
    throwIfAborted(signal);
    await this.queue.run(async () => {
      const known = (await this.stored.texts()).find((text) => text.field === settings.field);
      if (known !== undefined && isSame(known, settings)) return;
      throwIfAborted(signal);
      if (known !== undefined) await this.stored.dropTexts(settings.field);
      await this.stored.createText(settings, { ...run, signal });
    });
  }

  /** False where there is none. */
  async delete(field: string): Promise<boolean> {
    const name = pathText(parsePath('field', field));
    return this.queue.run(async () => (await this.stored.dropTexts(name)) > 0);
  }

  /** Deletes those that were being made when a process ended. */
  async dropUnfinished(): Promise<void> {
    const isUnfinished = (await this.stored.texts()).some(({ missing }) => missing !== null);
    if (isUnfinished) await this.stored.dropTexts(undefined);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.queue.idle();
  }
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong. */
function readSettings(field: unknown, options: TextIndexOptions): TextSettings {
  const { tokenizer = 'unicode61', prefix = [] } = options;
  checkOneOf('tokenizer', tokenizer, TOKENIZERS);
  if (!Array.isArray(prefix)) throw wrongType('prefix', 'an array of lengths', prefix);
  checkInteger('the number of lengths in prefix', prefix.length, 0, PREFIXES_MAX);
  const lengths = new Set(prefix.map((length) => checkInteger('prefix', length, 1, PREFIX_MAX)));
  const sorted = [...lengths].sort((a, b) => a - b);
  return { field: pathText(parsePath('field', field)), tokenizer, prefix: sorted };
}

function isSame(a: TextSettings, b: TextSettings): boolean {
  return a.tokenizer === b.tokenizer && String(a.prefix) === String(b.prefix);
}
