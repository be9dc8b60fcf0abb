import type { Steps } from '../base/steps.js';
import type { CollectionFile } from './collection-file.js';

/**
 * Runs reads that belong together on one state of the file, unless they already do: a point and what
 * is its own are in several tables, and another connection may commit between two statements.
 */
export function inOneMoment<T>({ db }: CollectionFile, reads: () => T): T {
  if (db.inTransaction) return reads();
  db.exec('BEGIN');
  try {
    return reads();
  } finally {
    db.exec('COMMIT');
  }
}

/** Runs each of the steps in one moment; between them the file may change. */
export function* inMoments<T>(file: CollectionFile, steps: Steps<T>): Steps<T> {
  try {
    for (;;) {
      const { value, done } = inOneMoment(file, () => steps.next());
      if (done) return value;
      yield value;
    }
  } finally {
    steps.return(undefined as T);
  }
}
