import { join } from 'node:path';
import { corrupt } from './errors.js';
import { type Line, readLines } from './lines.js';

export type Document = { readonly id: string; readonly title: string; readonly text: string };
export type Query = { readonly id: string; readonly text: string };

/** Judgements: query id to document id to score; 0 and below mean "not relevant". */
export type Qrels = Map<string, Map<string, number>>;

export type BeirSet = {
  readonly documents: Document[];
  readonly queries: Query[];
  readonly qrels: Qrels;
};

/**
 * Reads a folder in BEIR layout: corpus.jsonl, queries.jsonl and qrels/<split>.tsv, in file order.
 * Judgements may name queries and documents that the folder does not have, as some released sets
 * do. Throws NOT_FOUND, or CORRUPT with file and line.
 */
export function readBeir(folder: string, { split = 'test' } = {}): BeirSet {
  return {
    documents: readDocuments(join(folder, 'corpus.jsonl')),
    queries: readQueries(join(folder, 'queries.jsonl')),
    qrels: readQrels(join(folder, 'qrels', `${split}.tsv`)),
  };
}

/** Documents, one JSON object `{_id, title?, text}` a line; a missing title is empty. */
export function readDocuments(path: string): Document[] {
  return readObjects(path, (id, fields, line) => ({
    id,
    title: fields.title === undefined ? '' : textOf(fields, 'title', path, line),
    text: textOf(fields, 'text', path, line),
  }));
}

/** Queries, one JSON object `{_id, text}` a line. */
export function readQueries(path: string): Query[] {
  return readObjects(path, (id, fields, line) => ({
    id,
    text: textOf(fields, 'text', path, line),
  }));
}

/**
 * Judgements, "query-id <tab> corpus-id <tab> score" a line with a whole score; the first line may
 * be a header. A pair may be repeated only with the same score.
 */
export function readQrels(path: string): Qrels {
  const qrels: Qrels = new Map();
  for (const { line, text } of readLines(path)) {
    const columns = text.split('\t');
    if (columns.length !== 3) {
      throw corrupt(path, { line }, '3 columns separated by tabs', `${columns.length}`);
    }
    const [query, document, score] = columns;
    if (!/^-?\d{1,15}$/.test(score)) {
      if (line === 1) continue;
      throw corrupt(path, { line }, 'a whole number as score', JSON.stringify(score));
    }
    const judgements = qrels.get(query) ?? new Map<string, number>();
    const before = judgements.get(document);
    if (before !== undefined && before !== Number(score)) {
      throw corrupt(path, { line }, `score ${before} again for ${query} and ${document}`, score);
    }
    qrels.set(query, judgements.set(document, Number(score)));
  }
  return qrels;
}

/** Ids, one a line, in row order. Throws NOT_FOUND, or CORRUPT for an id that comes twice. */
export function readIds(path: string): string[] {
  const seen = new Set<string>();
  for (const { line, text } of readLines(path)) addOnce(seen, text, path, line);
  return [...seen];
}

type Fields = Record<string, unknown>;

function readObjects<T>(path: string, make: (id: string, fields: Fields, line: number) => T): T[] {
  const seen = new Set<string>();
  const objects: T[] = [];
  for (const source of readLines(path)) {
    const fields = parseObject(source, path);
    const id = textOf(fields, '_id', path, source.line);
    addOnce(seen, id, path, source.line);
    objects.push(make(id, fields, source.line));
  }
  return objects;
}

function parseObject({ line, text }: Line, file: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw corrupt(file, { line }, 'a JSON object', JSON.stringify(text.slice(0, 60)));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw corrupt(file, { line }, 'a JSON object', JSON.stringify(value).slice(0, 60));
  }
  return value as Fields;
}

function textOf(fields: Fields, key: string, file: string, line: number): string {
  const value = fields[key];
  if (typeof value === 'string') return value;
  const received = value === undefined ? 'none' : JSON.stringify(value).slice(0, 60);
  throw corrupt(file, { line }, `a string as "${key}"`, received);
}

function addOnce(seen: Set<string>, id: string, file: string, line: number): void {
  if (seen.has(id)) throw corrupt(file, { line }, 'an id that no line above has', id);
  seen.add(id);
}
