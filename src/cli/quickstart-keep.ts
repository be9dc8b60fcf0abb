import type { QuickstartSet } from '../../datasets/quickstart.js';
import { open } from '../db/open.js';
import type { Point } from '../db/types.js';
import { cancellable } from './cancel.js';

const COLLECTION = 'wordnet';

/**
 * Puts the quick-start set into a new collection, with its texts as payloads and their words indexed.
 * What to do with it, as commands.
 * @throws LeandexError `ALREADY_EXISTS`, `ABORTED`, and what `open` throws.
 */
export async function keepQuickstart(set: QuickstartSet, folder: string): Promise<string[]> {
  const { corpus, documents, dimensions } = set;
  function* points(): Generator<Point> {
    for (const [row, { title, text }] of documents.entries()) {
      const vector = corpus.subarray(row * dimensions, (row + 1) * dimensions);
      yield { id: row, vector, payload: { title, text } };
    }
  }
  await cancellable(async (run) => {
    const db = await open(folder, { signal: run.signal });
    try {
      const vectors = { size: dimensions, distance: 'Cosine' as const };
      const collection = await db.createCollection(COLLECTION, { vectors });
      await collection.createTextIndex('text', { tokenizer: 'porter', ...run });
      const { onProgress } = run;
      await collection.upsert(points(), {
        signal: run.signal,
        onProgress: ({ phase, done }) => onProgress?.({ phase, done, total: documents.length }),
      });
      await collection.optimize(run);
    } finally {
      await db.close();
    }
  });
  return [
    `leandex inspect ${folder}`,
    `leandex query ${folder} ${COLLECTION} --text 'raw fish' --payload title`,
    `leandex query ${folder} ${COLLECTION} --id 7 --payload`,
    `leandex serve ${folder}`,
  ];
}
