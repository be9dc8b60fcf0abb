import { basename } from 'node:path';
import { generateTopics } from '../datasets/generate/topics.js';
import { loadTokenSet, readTokenSet, type TokenSet } from '../datasets/token-set.js';
import { currentCommit, describeMachine } from './machine.js';
import { measureCandidates } from './multi/candidates.js';
import { measureEncoding } from './multi/encoding.js';
import { measureEndToEnd } from './multi/end-to-end.js';
import { scoreAll } from './multi/exact.js';
import { writeResult } from './multi/result.js';

/**
 * Documents of several vectors: candidates that encodings need until the best document by exact MaxSim
 * is among them, as float32 and as codes, against the single-vector heuristic and pooled vectors;
 * quality and queries/s end to end against exhaustive MaxSim; speed of encoding. Writes
 * bench/results/multi-*.
 * `npm run bench:multi [documents] [seeds] [largest size]`: so many generated documents, or those of a
 * folder (datasets/token-set.ts); by default climate-fever-tokens128, 5 and 10,240.
 */

const DOCUMENTS = process.argv[2] ?? 'climate-fever-tokens128';
const SEEDS = Number(process.argv[3] ?? 5);
const SIZE_MAX = Number(process.argv[4] ?? 10_240);

const print = (text: string) => process.stdout.write(`${text}\n`);
const note = (figures: object) => process.stderr.write(`${JSON.stringify(figures)}\n`);

async function report(name: string, set: TokenSet): Promise<void> {
  const { corpus, queries, dimensions } = set;
  const machine = describeMachine();
  const exact = scoreAll(set);
  const encoding = measureEncoding();
  const endToEnd = await measureEndToEnd(set, exact, note);
  const candidates = await measureCandidates(set, exact, SEEDS, SIZE_MAX, note);
  print(
    await writeResult({
      name,
      date: new Date().toISOString(),
      commit: currentCommit(),
      machine,
      documents: corpus.ids.length,
      tokens: corpus.offsets.at(-1)!,
      queries: queries.ids.length,
      dimensions,
      candidates,
      endToEnd,
      encoding,
    }),
  );
}

if (/^\d+$/.test(DOCUMENTS)) {
  const options = { count: Number(DOCUMENTS), queries: 200, dimensions: 128, seed: 1 };
  await report(`generated-${DOCUMENTS}`, generateTopics(options));
} else if (DOCUMENTS === 'climate-fever-tokens128') {
  const real = loadTokenSet();
  if (real === undefined) print('climate-fever-tokens128 is not there: skipped');
  else await report(DOCUMENTS, real);
} else {
  await report(basename(DOCUMENTS), readTokenSet(DOCUMENTS));
}
