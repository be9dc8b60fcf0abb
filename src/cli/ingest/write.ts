import { type CodedError, LeandexError } from '../../base/errors.js';
import type { RunOptions } from '../../base/steps.js';
import type { Collection } from '../../db/collection.js';
import { numbersGiven } from '../../db/copy-vectors.js';
import type { Point } from '../../db/types.js';
import type { PointSource } from './sources.js';

const BATCH_POINTS = 500;
/** A batch is full with so many numbers as well: a point may have thousands of vectors. */
const BATCH_NUMBERS = 1 << 22;

/**
 * Writes points in atomic batches, in their order: after an error all batches before are written, and
 * none behind. Of points with the same id the last one stays.
 * @returns how many there were.
 * @throws LeandexError `CORRUPT`, `DIMENSION_MISMATCH` naming the line or row; `ABORTED`; as Collection.upsert().
 */
export async function writePoints(
  collection: Collection,
  points: AsyncIterable<Point>,
  source: Pick<PointSource, 'place' | 'progress'>,
  { signal, onProgress }: RunOptions,
): Promise<number> {
  let written = 0;
  const send = async (batch: Point[], first: number) => {
    try {
      await collection.upsert(batch, { signal });
    } catch (error) {
      throw placed(error, source, first);
    }
    written += batch.length;
    const at = source.progress();
    if (at !== undefined) onProgress?.({ phase: 'save', ...at });
  };
  // One batch is gathered while another is written.
  let sending = Promise.resolve();
  try {
    let first = 0;
    for await (const batch of batchesOf(points)) {
      await sending;
      sending = send(batch, first);
      // What ends it is seen when it is awaited.
      sending.catch(() => {});
      first += batch.length;
    }
    await sending;
    return written;
  } catch (error) {
    // A batch before may be what failed first.
    const earlier = await sending.then(
      () => undefined,
      (failure: unknown) => failure,
    );
    const count = written.toLocaleString('en-US');
    process.stderr.write(
      `leandex: stopped; the first ${count} points have been written and stay\n`,
    );
    throw earlier ?? error;
  }
}

/** Points in batches, in which no id occurs twice: a batch is refused otherwise. */
async function* batchesOf(points: AsyncIterable<Point>): AsyncGenerator<Point[]> {
  let batch: Point[] = [];
  let numbers = 0;
  const seen = new Set<unknown>();
  for await (const point of points) {
    if (batch.length >= BATCH_POINTS || numbers >= BATCH_NUMBERS || seen.has(point.id)) {
      yield batch;
      batch = [];
      numbers = 0;
      seen.clear();
    }
    batch.push(point);
    numbers += numbersGiven(point.vector);
    seen.add(point.id);
  }
  if (batch.length > 0) yield batch;
}

/** Names the line or row instead of the number in the batch. */
function placed(error: unknown, source: Pick<PointSource, 'place'>, first: number): unknown {
  const { code, message } = error as CodedError;
  const [prefix, number] = /^points\[(\d+)\]\.?/.exec(message) ?? [];
  if (number === undefined || (code !== 'INVALID_ARGUMENT' && code !== 'DIMENSION_MISMATCH')) {
    return error;
  }
  const problem = message.slice(prefix!.length);
  // It is the file that is wrong, unless it is for vectors of another length.
  const found = code === 'DIMENSION_MISMATCH' ? code : 'CORRUPT';
  return new LeandexError(found, `${source.place(first + Number(number))}: ${problem}`, {
    cause: error,
  });
}
