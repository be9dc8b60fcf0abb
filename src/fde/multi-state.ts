import type { GivenIds } from '../graph/given-ids.js';
import type { LeanIndex } from '../graph/lean-index.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, type PoolLease } from '../threads/pool.js';
import type { DocumentTokens } from './document-tokens.js';
import type { FdeEncoder } from './encoder.js';
import type { PoolingOptions } from './pooling.js';

/** What a LeanMultiIndex consists of. The modules beside this one read and change it. */
export interface MultiState {
  readonly encoder: FdeEncoder;
  /** How documents are pooled before anything else; undefined keeps them as they are. */
  readonly pooling: PoolingOptions | undefined;
  /** Of the encodings, by the ids of their documents. */
  readonly index: LeanIndex;
  readonly documents: DocumentTokens;
  /** Ids given to the additions that run or wait. */
  readonly given: Set<GivenIds>;
  /** More than any id that a document has or had. */
  nextId: number;
}

/** Fewer tokens are encoded sooner than other threads would hear of them. */
const CREW_TOKENS_MIN = 4096;

/** As many threads as wanted for many tokens, this one for few. */
export async function crewFor(
  pool: PoolLease,
  tokens: number,
  threads = Number.POSITIVE_INFINITY,
): Promise<Crew> {
  if (!hasThreads() || threads === 1 || tokens < CREW_TOKENS_MIN) return ALONE;
  return crewOf(await pool.get(), threads);
}
