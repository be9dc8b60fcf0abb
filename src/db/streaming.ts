import { wrongType } from '../base/errors.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import { numbersGiven } from './copy-vectors.js';
import { ownPoint } from './own-copies.js';
import type { Point, WriteResult } from './types.js';
import { upsertPoints, type WriteContext } from './writing.js';

const BATCH_POINTS = 500;
/** A batch is full with so many numbers as well, 64 MB: a point may have thousands of vectors. */
const BATCH_NUMBERS = 1 << 24;
/** Batches on their way to the store at once: one is gathered while another is written. */
const BATCHES_AT_ONCE = 4;

/**
 * Writes points from any source in batches, each of them atomic. It reads no faster than it writes.
 * After an error or an abort the batches before it are written; the source is told to end.
 */
export async function upsertStream(
  context: WriteContext,
  points: Iterable<Point> | AsyncIterable<Point>,
  options: RunOptions,
): Promise<WriteResult> {
  const source = points as Partial<Iterable<Point> & AsyncIterable<Point>> | null | undefined;
  const isIterable = source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator];
  if (typeof isIterable !== 'function' || typeof points === 'string') {
    throw wrongType('points', 'an array or an iterable of points', points);
  }
  const result: WriteResult = { version: context.state.version, count: 0 };
  const underWay: Promise<void>[] = [];
  let given = 0;
  const send = async (batch: Point[]) => {
    given += batch.length;
    const first = given - batch.length;
    const { version, count } = await upsertPoints(context, batch, options, first);
    result.version = Math.max(result.version, version);
    result.count += count;
    options.onProgress?.({ phase: 'save', done: result.count, total: result.count });
  };
  try {
    let batch: Point[] = [];
    let numbers = 0;
    for await (const point of points) {
      throwIfAborted(options.signal);
      numbers += numbersGiven(point?.vector);
      if (batch.push(ownPoint(point)) < BATCH_POINTS && numbers < BATCH_NUMBERS) continue;
      if (underWay.length >= BATCHES_AT_ONCE) await underWay.shift();
      underWay.push(keep(send(batch)));
      batch = [];
      numbers = 0;
    }
    throwIfAborted(options.signal);
    if (batch.length > 0) underWay.push(keep(send(batch)));
    for (const sent of underWay) await sent;
  } finally {
    await Promise.allSettled(underWay);
  }
  return result;
}

/** Its failure is seen when it is awaited, which may be later. */
function keep(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
