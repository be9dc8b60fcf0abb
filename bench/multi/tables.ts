import { table } from '../markdown.js';
import { type CandidateFigures, DEPTHS } from './candidates.js';
import type { EncodingFigures } from './encoding.js';
import type { EndToEndFigures } from './end-to-end.js';

/** @param depths of the recall, of those measured */
export function candidateTable(
  figures: readonly CandidateFigures[],
  depths: readonly number[] = DEPTHS,
): string {
  const columns = depths.map((depth) => `recall in ${depth}`);
  const head = ['method', 'dims', 'bytes', 'seeds', 'median', '90 %', '95 %', ...columns];
  const rows = figures.map(({ method, dimensions, bytes, seeds, needed, recall }) => [
    ...[method, String(dimensions ?? ''), String(bytes ?? ''), String(seeds)],
    ...needed.map((count) => count.toFixed(1)),
    ...depths.map((depth) => recall[DEPTHS.indexOf(depth)]!.toFixed(3)),
  ]);
  return table(head, rows);
}

export function endToEndTable(figures: readonly EndToEndFigures[]): string {
  const head = [
    ...['', 'dims', 'token bits', 'candidates', 'nDCG@10', 'recall@10'],
    ...['queries/s', 'p50 ms', 'p99 ms', 'times exhaustive', 'bytes a document'],
  ];
  const rows = figures.map((each) => [
    ...[each.method, String(each.fdeDimensions ?? ''), String(each.tokenBits)],
    ...[String(each.candidates ?? ''), each.ndcgAt10?.toFixed(4) ?? '', each.recallAt10.toFixed(3)],
    ...[each.queriesPerSecond.toFixed(0), each.p50.toFixed(2), each.p99.toFixed(2)],
    ...[each.timesExhaustive.toFixed(1), each.bytesPerDocument.toFixed(0)],
  ]);
  return table(head, rows);
}

export function encodingTable(figures: readonly EncodingFigures[]): string {
  return table(
    ['dims', 'documents/s'],
    figures.map(({ fdeDimensions, documentsPerSecond }) => [
      String(fdeDimensions),
      Math.round(documentsPerSecond).toLocaleString('en'),
    ]),
  );
}
