import { checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { drain, partRunOptions, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { crc32 } from '../format/checksum.js';
import { asBytes, readContainer, writeContainer } from '../format/container.js';
import { forOthers, type KvBases } from './basis.js';
import { KvCache } from './cache.js';
import { compressSteps } from './compress.js';
import {
  COMPRESS_OPTIONS,
  type CompressOptions,
  type ResolvedCompress,
  resolveCompress,
} from './compress-options.js';
import { KV_OPTIONS, type KvOptions, type ResolvedKv, resolveKv } from './options.js';
import {
  describeBases,
  halvesAsBytes,
  readBases,
  readOptions,
  requireSections,
  SECTIONS_EACH,
} from './save-bases.js';
import type { KvSegment } from './segment.js';
import { checkTokens, type KvTokens } from './shape.js';
import { KvTraining } from './training.js';

const KIND = 'kv-model';

/** What all caches of a language model share: the bases of their keys and values. */
export class KvModel {
  readonly options: Readonly<ResolvedKv>;
  readonly bases: KvBases;
  private knownId: number | undefined;

  /** Made by train() and fromBytes(). */
  constructor(options: ResolvedKv, bases: KvBases) {
    this.options = options;
    this.bases = bases;
  }

  /**
   * Learns the bases from caches of a language model, one after the other: memory does not grow with
   * them. Some thousand tokens do; more are better.
   *
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`; LeandexError `ABORTED`.
   */
  static async train(
    samples: Iterable<KvTokens> | AsyncIterable<KvTokens>,
    options: KvOptions & RunOptions,
  ): Promise<KvModel> {
    const { run, rest } = partRunOptions('KvModel.train', options);
    const resolved = resolveKv('KvModel.train', rest);
    const training = new KvTraining(resolved);
    let count = 0;
    for await (const sample of iterable(samples)) {
      const rows = checkTokens(`sample ${count++}`, sample, resolved);
      await runSteps(training.addSteps(rows), run);
    }
    if (training.tokens === 0) {
      throw outOfRange('samples', `tokens behind the first ${resolved.sinks}`, 'none');
    }
    const bases = await runSteps(training.finishSteps(), run);
    return new KvModel(resolved, bases.map(forOthers));
  }

  /**
   * A cache in few bytes.
   * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
   */
  compress(tokens: KvTokens, options: CompressOptions = {}): KvCache {
    return drain(this.steps(tokens, options));
  }

  /** compress() in slices. Errors as there, LeandexError `ABORTED`. */
  async compressAsync(
    tokens: KvTokens,
    options: CompressOptions & RunOptions = {},
  ): Promise<KvCache> {
    const { run, rest } = partRunOptions('compressAsync', options);
    return runSteps(this.steps(tokens, rest), run);
  }

  /** A checksum of the bases, by which caches know their model. */
  get id(): number {
    this.knownId ??= this.bases.reduce(
      (crc, { mean, scale, vectors }) =>
        [asBytes(mean), asBytes(scale), halvesAsBytes(vectors)].reduce((c, b) => crc32(b, c), crc),
      0,
    );
    return this.knownId;
  }

  toBytes(): Uint8Array {
    const { header: bases, sections } = describeBases(this.bases);
    return writeContainer({ kind: KIND, header: { options: this.options, bases }, sections });
  }

  /** @throws TypeError, LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`. */
  static fromBytes(bytes: Uint8Array): KvModel {
    const { header, sections } = readContainer(bytes, KIND);
    const options = readOptions(header, KIND);
    const bases = readBases(header.bases, sections, options, KIND);
    requireSections(sections, bases.length * SECTIONS_EACH, KIND);
    return new KvModel(options, bases);
  }

  private *steps(tokens: KvTokens, options: CompressOptions): Steps<KvCache> {
    checkOptions('compress', options, COMPRESS_OPTIONS);
    const budget = resolveCompress(options, 'calibrated');
    const rows = checkTokens('compress', tokens, this.options);
    const segment = yield* compressSteps(rows, this.options, budget, this.bases);
    const modelId = segment.isOwn ? undefined : this.id;
    return cacheOf(this.options, budget, segment, rows.tokens, modelId);
  }
}

export interface CompressKvOptions extends KvOptions, Omit<CompressOptions, 'basis'> {
  basis: 'own';
}

/**
 * A cache in few bytes without a model: with a basis of its own, made of the tokens behind the sinks; at
 * least one. Errors as for KvModel.compress().
 */
export function compressKv(tokens: KvTokens, options: CompressKvOptions): KvCache {
  return drain(compressOwnSteps(tokens, options));
}

/** compressKv() in slices. */
export async function compressKvAsync(
  tokens: KvTokens,
  options: CompressKvOptions & RunOptions,
): Promise<KvCache> {
  const { run, rest } = partRunOptions('compressKvAsync', options);
  return runSteps(compressOwnSteps(tokens, rest), run);
}

function* compressOwnSteps(tokens: KvTokens, options: CompressKvOptions): Steps<KvCache> {
  checkOptions('compressKv', options, [...new Set([...KV_OPTIONS, ...COMPRESS_OPTIONS])]);
  const { basis, recent, refresh, bytes, error, ...kv } = options;
  const { bitsPerNumber } = kv;
  if (basis !== 'own') throw outOfRange('basis', 'own: there is no model', basis);
  const resolved = resolveKv('compressKv', kv);
  const budget = resolveCompress({ recent, refresh, bitsPerNumber, bytes, error }, 'own');
  const rows = checkTokens('compressKv', tokens, resolved);
  const segment = yield* compressSteps(rows, resolved, budget, undefined);
  return cacheOf(resolved, budget, segment, rows.tokens, undefined);
}

function cacheOf(
  options: ResolvedKv,
  { recent, refresh }: ResolvedCompress,
  segment: KvSegment,
  tokens: number,
  modelId: number | undefined,
): KvCache {
  return new KvCache({ options, recent, refresh, segments: [segment], tokens, modelId });
}

function iterable(
  samples: Iterable<KvTokens> | AsyncIterable<KvTokens>,
): Iterable<KvTokens> | AsyncIterable<KvTokens> {
  const given = samples as Partial<Iterable<KvTokens> & AsyncIterable<KvTokens>> | null;
  if (given?.[Symbol.iterator] || given?.[Symbol.asyncIterator]) return samples;
  throw wrongType('samples', 'an iterable of { keys, values, tokens }', samples);
}
