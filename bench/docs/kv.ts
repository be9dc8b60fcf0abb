import type { ContestRow } from '../kv/contest.js';
import { table } from '../markdown.js';
import { hasPart } from './parts.js';

/** What of bench/results/kv*.json the tables are written from. */
export interface KvResult {
  readonly contest?: readonly { readonly run: string; readonly rows: readonly ContestRow[] }[];
  readonly speed?: {
    readonly compress: Readonly<Record<'milliseconds' | 'layers' | 'tokens' | 'width', number>>;
    readonly rotated: Readonly<Record<'compressed' | 'float32', number>>;
    readonly plain: Readonly<Record<'compressed' | 'float32', number>>;
  };
  readonly perplexity?: {
    readonly exact: number;
    readonly rows: readonly { readonly bitsPerNumber: number; readonly perplexity: number }[];
  };
}

/** Errors of attention of the runs and methods whose names hold one of the parts. */
export function kvContestTable(
  { contest = [] }: KvResult,
  {
    runs: inRun,
    methods: inMethod,
  }: { readonly runs: readonly string[]; readonly methods: readonly string[] },
): string {
  const runs = contest.filter(({ run }) => hasPart(run, inRun));
  const levels = [...new Set(runs.flatMap(({ rows }) => rows.map(({ level }) => level)))];
  return table(
    ['cache', 'method', ...levels.map((level) => `${shortest(level)}x`)],
    runs.flatMap(({ run, rows }) =>
      [...new Set(rows.map(({ method }) => method))]
        .filter((method) => hasPart(method, inMethod))
        .map((method) => [run, method, ...levels.map((level) => cell(rows, method, level))]),
    ),
  );
}

/** The error, and how many times smaller the method is, bases included, where that is not the level. */
function cell(rows: readonly ContestRow[], method: string, level: number): string {
  const row = rows.find((each) => each.method === method && each.level === level);
  if (row === undefined) return '-';
  const { attention, compressionWithBases: smaller } = row;
  const isNear = Math.abs(smaller / level - 1) < 0.05;
  return attention.toFixed(3) + (isNear ? '' : ` (${smaller.toFixed(1)}x)`);
}

export function kvSpeedTable({ speed }: KvResult): string {
  const { compress, rotated, plain } = speed!;
  const { layers, tokens, width, milliseconds } = compress;
  return table(
    ['what', 'ms'],
    [
      [
        `${tokens.toLocaleString('en-US')} tokens of ${layers} layers of ${width} numbers compressed`,
        milliseconds.toFixed(0),
      ],
      ['a query, compressed, keys not rotated', plain.compressed.toFixed(1)],
      ['a query, compressed, keys rotated on the way', rotated.compressed.toFixed(1)],
      ['a query, float32, keys rotated before', rotated.float32.toFixed(1)],
    ],
  );
}

export function kvPerplexityTable({ perplexity }: KvResult): string {
  const { exact, rows } = perplexity!;
  return table(
    ['bits a number', 'perplexity', 'more than float32'],
    [
      ['float32', exact.toFixed(3), '-'],
      ...rows.map(({ bitsPerNumber, perplexity: found }) => [
        String(bitsPerNumber),
        found.toFixed(3),
        `${(100 * (found / exact - 1)).toFixed(1)} %`,
      ]),
    ],
  );
}

const shortest = (value: number) => String(Math.round(10 * value) / 10);
