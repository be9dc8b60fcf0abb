import { table, whole } from '../markdown.js';

/** What of bench/results/server.json the table is written from. */
export interface ServerResult {
  readonly shares: {
    readonly byTime: Shares;
    readonly byProcessorTime: Shares;
  };
  readonly rows: readonly {
    readonly name: string;
    readonly queriesPerSecond: number;
    readonly queriesPerProcessorSecond: number;
    readonly p50: number;
    readonly p99: number;
  }[];
}

type Shares = Readonly<
  Record<'batchMsgpack' | 'batchJson' | 'singleJsonOfEcho' | 'singleJsonOfBoth', number>
>;

/** What of bench/results/server-soak.json the table is written from. */
export interface SoakResult {
  readonly seconds: number;
  readonly requests: number;
  readonly writes: number;
  readonly errors: number;
  readonly lost: number;
  readonly growth: number;
  readonly residentMiBMax: number;
  readonly lateMsP99: number;
  readonly lateMsMax: number;
}

const NAMES: Readonly<Record<string, string>> = {
  inProcess: 'in process, 64 queries a call',
  batchMsgpack: 'msgpack, 64 queries a request',
  batchJson: 'JSON, 64 queries a request',
  singleInProcess: 'in process, one query a call',
  singleMsgpack: 'msgpack, one query a request',
  singleJson: 'JSON, one query a request',
  echoJson: 'the framework alone: parses the same body, answers the same',
};

/** A row's share, and of what. */
const SHARE_OF: Readonly<Record<string, readonly [keyof Shares, string]>> = {
  batchMsgpack: ['batchMsgpack', 'in process'],
  batchJson: ['batchJson', 'in process'],
  singleJson: ['singleJsonOfEcho', 'the framework'],
};

export function serverTable({ rows, shares }: ServerResult): string {
  return table(
    ['what', 'queries a second', 'share', 'a processor second', 'share', 'ms, p50', 'p99'],
    rows.map(({ name, queriesPerSecond, queriesPerProcessorSecond, p50, p99 }) => {
      const [key, of] = SHARE_OF[name] ?? [];
      const share = (among: Shares) => (key === undefined ? '' : `${percent(among[key])} of ${of}`);
      return [
        NAMES[name] ?? name,
        ...[whole(queriesPerSecond), share(shares.byTime)],
        ...[whole(queriesPerProcessorSecond), share(shares.byProcessorTime)],
        ...[p50.toFixed(1), p99.toFixed(1)],
      ];
    }),
  );
}

/** What a search in process and a request to the framework alone allow one after the other. */
export function serverShareLine({ shares }: ServerResult): string {
  return (
    `With 16 requests under way, one query each in JSON, the server takes ` +
    `${percent(shares.byTime.singleJsonOfBoth)} of what a search in process and a request to the framework ` +
    'alone allow one after the other on the same two cores.'
  );
}

export function soakTable(soak: SoakResult): string {
  return table(
    ['what', 'measured'],
    [
      ['minutes', (soak.seconds / 60).toFixed(0)],
      ['requests', whole(soak.requests)],
      ['writes of these', whole(soak.writes)],
      ['errors', whole(soak.errors)],
      ['acknowledged and lost', whole(soak.lost)],
      ['memory of the last third over that of the one before', soak.growth.toFixed(3)],
      ['memory at most, MiB', whole(soak.residentMiBMax)],
      ['event loop late, ms, p99', soak.lateMsP99.toFixed(0)],
      ['event loop late, ms, ever', soak.lateMsMax.toFixed(0)],
    ],
  );
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
